/** Zeroes the body of a response when nobody needs it any more. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const QUEUED = Symbol('bodies of responses that wait behind another');

interface Connection extends Socket {
  [QUEUED]?: Set<Uint8Array>;
}

/**
 * Right after the kernel has taken the bytes, or when the connection ends before that. To be called before `end`; false,
 * and it is zeroed by now, if the client went away meanwhile.
 */
export function wipeWhenSent(response: ServerResponse, body: Uint8Array): boolean {
  // Then none of the events comes any more.
  if (response.destroyed || response.req.socket.destroyed) {
    body.fill(0);
    return false;
  }
  // One that waits behind another response of its connection hears nothing of that connection's end.
  const queued = response.socket === null ? queueOf(response.req.socket) : null;
  queued?.add(body);
  response.once('close', () => {
    body.fill(0);
    queued?.delete(body);
  });
  return true;
}

/** One listener for all of a connection, which may have many requests under way. */
function queueOf(connection: Connection): Set<Uint8Array> {
  const known = connection[QUEUED];
  if (known !== undefined) return known;
  const queued = new Set<Uint8Array>();
  connection[QUEUED] = queued;
  connection.once('close', () => {
    for (const body of queued) body.fill(0);
  });
  return queued;
}
