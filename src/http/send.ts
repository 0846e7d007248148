/** Sends a response whose body is in memory, and zeroes the body when the kernel has taken it or the client has gone. */
import { LONG_BODY } from '../call-result.ts';
import type { HttpResponse } from './http-response.ts';
import type { ReceivedRequest } from './received-request.ts';

/** Bytes that the kernel takes at once of a response to a client that reads. */
const TAKEN_AT_ONCE = 65_536;

/** Call `endSending` when the response is closed. */
export function sendWhole(request: ReceivedRequest, { status, headers, body: given }: HttpResponse): void {
  const { client: connection, response: message, method } = request;
  const { socket } = connection;
  // Then no event comes any more.
  if (message.destroyed || socket.destroyed) return void discardBody(given);
  const isQueued = message.socket === null;
  const willStay = isQueued || socket.writableLength > 0 || given.length > TAKEN_AT_ONCE;
  const body = willStay ? moveOutOfBatch(given) : given;
  // A response that waits behind another one is not told of the connection's end.
  if (isQueued) connection.queuedBodies.add(body);
  request.sentBody = body;
  message.writeHead(status, headers as string[]);
  message.end(method === 'HEAD' ? undefined : body);
  const isTaken = message.socket !== null && socket.writableLength === 0;
  if (isTaken || method === 'HEAD') return;
  request.sentBytes = body.buffer.byteLength;
  connection.hold(request.sentBytes);
}

/** Zeroes what was sent with `sendWhole`. The response is closed: the kernel has all of it, or the client is gone. */
export function endSending({ client: connection, sentBody, sentBytes }: ReceivedRequest): void {
  if (sentBody === null) return;
  discardBody(sentBody);
  connection.queuedBodies.delete(sentBody);
  if (sentBytes > 0) connection.release(sentBytes);
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
