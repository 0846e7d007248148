/** Sends a response whose body is in memory, and zeroes the body when the kernel has taken it or the client has gone. */
import type { ServerResponse } from 'node:http';
import { LONG_BODY } from '../call-result.ts';
import type { HttpResponse } from './answer-request.ts';
import type { ClientConnection } from './client-connection.ts';

/** Bytes that the kernel takes at once of a response to a client that reads. */
const TAKEN_AT_ONCE = 65_536;

export function sendWhole(
  connection: ClientConnection,
  response: ServerResponse,
  method: string,
  { status, headers, body: given }: HttpResponse,
): void {
  const { socket } = connection;
  // Then none of the events comes any more.
  if (response.destroyed || socket.destroyed) {
    discardBody(given);
    return;
  }
  const isQueued = response.socket === null;
  const willStay = isQueued || socket.writableLength > 0 || given.length > TAKEN_AT_ONCE;
  const body = willStay ? moveOutOfBatch(given) : given;
  // A response that waits behind another one hears nothing of the connection's end.
  if (isQueued) connection.queuedBodies.add(body);
  let heldBytes = 0;
  response.once('close', () => {
    discardBody(body);
    if (isQueued) connection.queuedBodies.delete(body);
    if (heldBytes > 0) connection.release(heldBytes);
  });
  response.writeHead(status, headers as string[]);
  if (method === 'HEAD') {
    response.end();
    return;
  }
  response.end(body);
  if (response.socket !== null && socket.writableLength === 0) return;
  heldBytes = body.buffer.byteLength;
  connection.hold(heldBytes);
}

/**
 * Zeroes the body, and gives the memory of a long one back now: until the next garbage collection, the responses that a
 * flood left behind would add up. A body longer than LONG_BODY shares its memory with no other, but that may have room left.
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
