/**
 * Closes connections of other users. The modes of the socket and its folder keep other users out; if they are loosened, the
 * kernel still says whose a connection is.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { isTrustedUser } from '../places/trusted-places.ts';
import type { PeerCredentials } from '../system/peer-credentials.ts';

/** Closes connections of other users without a response. */
export function checkPeers(
  server: Server,
  credentials: PeerCredentials,
  report: (event: 'warning', detail: string) => void,
): void {
  // Before the server's own listener, which begins to read.
  server.prependListener('connection', (socket: Socket) => {
    const peer = credentials.findUser(socket);
    if (peer !== null && isTrustedUser(peer)) return;
    report('warning', `a connection of ${peer === null ? 'an unknown user' : `the user ${peer}`} was closed`);
    socket.destroy();
  });
}
