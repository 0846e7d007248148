/**
 * Who is at the other end of a connection. The modes of the socket and its folder keep other users out; if somebody
 * loosens them, the kernel still says who asks.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Libc } from './libc.ts';

/** Nobody is kept out from what root could take anyway. */
const ROOT = 0;

/** What Node has no other name for. */
type Handled = Socket & { readonly _handle?: { readonly fd?: number } };

/** Connections of other users are closed without an answer. */
export function checkPeers(
  server: Server,
  libc: Libc,
  report: (event: 'warning', detail: string) => void,
): void {
  const own = process.geteuid?.();
  // Before the server's own listener, which begins to read.
  server.prependListener('connection', (socket: Handled) => {
    const descriptor = socket._handle?.fd;
    const peer = descriptor === undefined ? null : libc.findPeer(descriptor);
    if (peer === own || peer === ROOT) return;
    report('warning', `a connection of ${peer === null ? 'an unknown user' : `the user ${peer}`} was closed`);
    socket.destroy();
  });
}
