/** Sends a response whose body is in memory, and zeroes the body when the kernel has taken it or the client has gone. */
import type { ServerResponse } from 'node:http';
import { LONG_BODY } from '../call-result.ts';
import type { ClientConnection } from './client-connection.ts';
import type { HttpResponse } from './http-response.ts';

/** Bytes that the kernel takes at once of a response to a client that reads. */
const TAKEN_AT_ONCE = 65_536;

/** `message`: Node's own object for the response. */
export function sendWhole(
  connection: ClientConnection,
  message: ServerResponse,
  method: string,
  { status, headers, body: given }: HttpResponse,
): void {
  const { socket } = connection;
  // Then no event comes any more.
  if (message.destroyed || socket.destroyed) return void discardBody(given);
  const isQueued = message.socket === null;
  const willStay = isQueued || socket.writableLength > 0 || given.length > TAKEN_AT_ONCE;
  const body = willStay ? moveOutOfBatch(given) : given;
  // A response that waits behind another one is not told of the connection's end.
  if (isQueued) connection.queuedBodies.add(body);
  message.once('close', () => {
    discardBody(body);
    if (isQueued) connection.queuedBodies.delete(body);
  });
  message.writeHead(status, headers as string[]);
  message.end(method === 'HEAD' ? undefined : body);
  const isTaken = message.socket !== null && socket.writableLength === 0;
  if (!isTaken && method !== 'HEAD') holdUntilClosed(connection, message, body.buffer.byteLength);
}

function holdUntilClosed(connection: ClientConnection, message: ServerResponse, bytes: number): void {
  message.once('close', () => connection.release(bytes));
  connection.hold(bytes);
}

/**
 * Zeroes the body, and gives the memory of a long one back now: until the next garbage collection, the responses that a
 * flood left behind would add up. A body longer than LONG_BODY shares its memory with no other body, but may not fill it.
 */
export function discardBody(body: Uint8Array<ArrayBuffer>): void {
  if (body.buffer.detached) return;
  body.fill(0);
  if (body.length > LONG_BODY) body.buffer.transferToFixedLength(0);
}

/**
 * Returns the body in memory of its own, and zeroes the given one: a body that stays for a while would keep the responses
 * of its whole batch, which lie in one piece.
 */
function moveOutOfBatch(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (body.length * 2 >= body.buffer.byteLength) return body;
  // An explicit ArrayBuffer: a small Uint8Array would lie in the V8 heap, where it cannot be zeroed for good.
  const own = new Uint8Array(new ArrayBuffer(body.length));
  own.set(body);
  discardBody(body);
  return own;
}
