/** Sends a response whose body is in memory, and zeroes its bytes when the kernel has taken them or the client has gone. */
import { LONG_BODY } from '../call-result.ts';
import type { HttpResponse } from './http-response.ts';
import type { ReceivedRequest } from './received-request.ts';

/** A response that is sent in one piece. */
export type WholeResponse = Extract<HttpResponse, { rest: null }>;

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes that the kernel takes at once of a response to a client that reads. */
const TAKEN_AT_ONCE = 65_536;

/** Call `endSending` when the response is closed. */
export function sendWhole(request: ReceivedRequest, { status, headers, body: given }: WholeResponse): void {
  const { client: connection, response: message, method } = request;
  const { socket } = connection;
  // Then no event comes any more.
  if (message.destroyed || socket.destroyed) return void (typeof given === 'string' || discardBody(given));
  const body = typeof given === 'string' ? given : keepUntilClosed(request, given);
  message.writeHead(status, headers);
  // Node writes a text together with the head.
  message.end(method === 'HEAD' ? undefined : body);
  const isTaken = message.socket !== null && socket.writableLength === 0;
  if (isTaken || method === 'HEAD') return;
  request.sentBytes = typeof body === 'string' ? body.length : body.buffer.byteLength;
  connection.hold(request.sentBytes);
}

/**
 * Returns the bytes to send, which `endSending` zeroes. They have memory of their own if they may stay for a while: the
 * responses of a whole batch lie in one piece of memory.
 */
function keepUntilClosed(request: ReceivedRequest, given: Bytes): Bytes {
  const { client: connection, response: message } = request;
  const isQueued = message.socket === null;
  const willStay = isQueued || connection.socket.writableLength > 0 || given.length > TAKEN_AT_ONCE;
  const body = willStay ? moveOutOfBatch(given) : given;
  // A response that waits behind another one is not told of the connection's end.
  if (isQueued) connection.queuedBodies.add(body);
  request.sentBody = body;
  return body;
}

/** Zeroes what was sent with `sendWhole`. The response is closed: the kernel has all of it, or the client is gone. */
export function endSending({ client: connection, sentBody, sentBytes }: ReceivedRequest): void {
  if (sentBody !== null) {
    discardBody(sentBody);
    connection.queuedBodies.delete(sentBody);
  }
  if (sentBytes > 0) connection.release(sentBytes);
}

/**
 * Zeroes the body, and gives the memory of a long one back now: until the next garbage collection, the responses that a
 * flood left behind would add up. A body longer than LONG_BODY shares its memory with no other body, but may not fill it.
 */
export function discardBody(body: Bytes): void {
  if (body.buffer.detached) return;
  body.fill(0);
  if (body.length > LONG_BODY) body.buffer.transferToFixedLength(0);
}

/** Returns the body in memory of its own, and zeroes the given one. */
function moveOutOfBatch(body: Bytes): Bytes {
  if (body.length * 2 >= body.buffer.byteLength) return body;
  // An explicit ArrayBuffer: a small Uint8Array would lie in the V8 heap, where it cannot be zeroed for good.
  const own = new Uint8Array(new ArrayBuffer(body.length));
  own.set(body);
  discardBody(body);
  return own;
}
