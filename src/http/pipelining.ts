/**
 * Requests that a client sends on one connection without waiting for the answers, RFC 9112 section 9.3.2. So many are
 * worked on at once; while others wait, no more are read. Node itself stops reading only when answers pile up, and by
 * then it may have taken thousands of requests.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HeldMemory } from './held-memory.ts';

/** Enough that a client's many writes share a commit; few enough that other clients' requests are not refused. */
const AT_ONCE = 64;
/** What Node keeps of a request without a body, more or less: itself, its response, and what hangs on them. */
const REQUEST_SIZE = 8_192;

const LINE = Symbol('requests of a connection');

interface Connection extends Socket {
  [LINE]?: Line;
}

interface Line {
  /** Requests whose answer the client has not got yet, without those that wait. */
  underWay: number;
  readonly waiting: (() => void)[];
  reading: 'on' | 'stopping' | 'off';
}

/** Calls `start` when it is this request's turn: at once, as a rule. */
export function takeTurn(response: ServerResponse, held: HeldMemory, start: () => void): void {
  const socket: Connection = response.req.socket;
  socket[LINE] ??= { underWay: 0, waiting: [], reading: 'on' };
  const line = socket[LINE];
  response.once('close', () => giveTurn(socket, line, held));
  if (line.underWay < AT_ONCE) {
    line.underWay += 1;
    start();
    return;
  }
  line.waiting.push(start);
  held.hold(socket, REQUEST_SIZE);
  stopReading(socket, line);
}

function giveTurn(socket: Socket, line: Line, held: HeldMemory): void {
  line.underWay -= 1;
  // No answer could be sent any more.
  if (!socket.writable) line.waiting.length = 0;
  const start = line.waiting.shift();
  if (start !== undefined) {
    line.underWay += 1;
    held.release(socket, REQUEST_SIZE);
    start();
  }
  if (line.waiting.length > 0 || line.reading === 'on') return;
  line.reading = 'on';
  socket.resume();
}

/**
 * Right after the chunk that is being parsed: within it, Node would read on at the end of each request, and without it
 * libuv reads some thirty chunks before anybody else gets a turn.
 */
function stopReading(socket: Socket, line: Line): void {
  if (line.reading === 'stopping') return;
  line.reading = 'stopping';
  process.nextTick(() => {
    if (line.reading !== 'stopping') return;
    line.reading = 'off';
    socket.pause();
  });
}
