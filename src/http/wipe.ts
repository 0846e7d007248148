/** The body of a response in memory: what it holds there, and that it is zeroed when nobody needs it any more. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LONG_BODY } from '../answered.ts';
import type { HeldMemory } from './held-memory.ts';

const QUEUED = Symbol('bodies of responses that wait behind another');

interface Connection extends Socket {
  [QUEUED]?: Set<Uint8Array<ArrayBuffer>>;
}

/**
 * Right after the kernel has taken the bytes, or when the connection ends before that. To be called before `end`; false,
 * and it is zeroed by now, if the client went away meanwhile.
 */
export function wipeWhenSent(response: ServerResponse, body: Uint8Array<ArrayBuffer>): boolean {
  // Then none of the events comes any more.
  if (response.destroyed || response.req.socket.destroyed) {
    discard(body);
    return false;
  }
  // One that waits behind another response of its connection hears nothing of that connection's end.
  const queued = response.socket === null ? queueOf(response.req.socket) : null;
  queued?.add(body);
  response.once('close', () => {
    discard(body);
    queued?.delete(body);
  });
  return true;
}

/** One listener for all of a connection, which may have many requests under way. */
function queueOf(connection: Connection): Set<Uint8Array<ArrayBuffer>> {
  const known = connection[QUEUED];
  if (known !== undefined) return known;
  const queued = new Set<Uint8Array<ArrayBuffer>>();
  connection[QUEUED] = queued;
  connection.once('close', () => {
    for (const body of queued) discard(body);
  });
  return queued;
}

/**
 * Zeroes it, and gives the memory of a long one back now: until the next garbage collection the answers that a flood left
 * behind would add up. The kernel has taken it by now, or the connection is gone.
 */
function discard(body: Uint8Array<ArrayBuffer>): void {
  if (body.buffer.detached) return;
  body.fill(0);
  if (body.length > LONG_BODY) body.buffer.transferToFixedLength(0);
}

/** What the kernel takes at once of an answer to a client that reads. */
const TAKEN_AT_ONCE = 65_536;

/**
 * The body in memory of its own if it is going to stay for a while: it lies in one piece with the other answers of its
 * batch, and would keep them all. To be called before `wipeWhenSent`; what it leaves is zeroed.
 */
export function separate(response: ServerResponse, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (body.length * 2 >= body.buffer.byteLength) return body;
  const isNext = response.socket !== null && response.socket.writableLength === 0;
  if (isNext && body.length <= TAKEN_AT_ONCE) return body;
  // An explicit ArrayBuffer: what is small would lie in the V8 heap, where it cannot be zeroed for good.
  const own = new Uint8Array(new ArrayBuffer(body.length));
  own.set(body);
  discard(body);
  return own;
}

/** Unless the kernel has taken all of it by now. To be called after `end`. */
export function holdUntilTaken(response: ServerResponse, body: Uint8Array, held: HeldMemory): void {
  const { socket } = response.req;
  if (response.socket !== null && socket.writableLength === 0) return;
  const { byteLength } = body.buffer;
  held.hold(socket, byteLength);
  response.once('close', () => held.release(socket, byteLength));
}
