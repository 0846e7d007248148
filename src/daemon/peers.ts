/**
 * Who is at the other end of a connection. The modes of the socket and its folder keep other users out; if somebody
 * loosens them, the kernel still says who asks.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { isTrustedUser } from '../places/trusted-places.ts';
import type { PeerCredentials } from '../system/peer-credentials.ts';

/** Connections of other users are closed without an answer. */
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
