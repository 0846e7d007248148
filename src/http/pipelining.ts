/**
 * Requests that a client sends on one connection without waiting for the responses (RFC 9112 section 9.3.2). A bounded
 * number is worked on at once, and while others wait, no more are read. Node itself stops reading only when responses pile
 * up, and by then it may have read thousands of requests.
 */
import type { ClientConnection } from './client-connection.ts';

/** Enough that a client's many writes share a commit; few enough that other clients' requests are not refused. */
const AT_ONCE = 64;
/** Bytes. Roughly the size of Node's objects for a request without a body and its response. */
const REQUEST_SIZE = 8_192;

/**
 * Returns whether a request may be started now, as it mostly may. Otherwise call `awaitTurn`. Call `giveTurn` when its
 * response is closed.
 */
export function takeTurn(connection: ClientConnection): boolean {
  if (connection.requestsUnderWay >= AT_ONCE) return false;
  connection.requestsUnderWay += 1;
  return true;
}

/** Calls `start` when it is the request's turn. */
export function awaitTurn(connection: ClientConnection, start: () => void): void {
  connection.waitingRequests.push(start);
  connection.hold(REQUEST_SIZE);
  stopReading(connection);
}

export function giveTurn(connection: ClientConnection): void {
  const { socket, waitingRequests } = connection;
  connection.requestsUnderWay -= 1;
  // No response could be sent any more.
  if (!socket.writable) waitingRequests.length = 0;
  const start = waitingRequests.shift();
  if (start !== undefined) {
    connection.requestsUnderWay += 1;
    connection.release(REQUEST_SIZE);
    start();
  }
  if (waitingRequests.length > 0 || connection.reading === 'on') return;
  connection.reading = 'on';
  socket.resume();
}

/**
 * Pauses right after the chunk that is being parsed. Paused within it, Node would read on at the end of each request;
 * paused later, libuv would read some thirty chunks before other connections get a turn.
 */
function stopReading(connection: ClientConnection): void {
  if (connection.reading === 'stopping') return;
  connection.reading = 'stopping';
  process.nextTick(() => {
    if (connection.reading !== 'stopping') return;
    connection.reading = 'off';
    connection.socket.pause();
  });
}
