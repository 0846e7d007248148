/**
 * Connects to a socket. Before a token, a passphrase or a value is sent, it is certain that this user or root listens: by the
 * owners and modes of the folders, which the daemon checks by the same rules, and by the kernel where it can be asked.
 */
import { connect, type Socket } from 'node:net';
import { isTrustedUser, openSocketFolder, UntrustedError } from '../places/trusted-places.ts';
import { PeerCredentials } from '../system/peer-credentials.ts';

export interface SocketOptions {
  /** False: any program that listens there gets what is sent. */
  readonly checksOwner?: boolean | undefined;
}

/** undefined: not looked for yet; null: there are none. */
let credentials: PeerCredentials | null | undefined;

/** Rejects with UntrustedError, or with Node's own error (`ECONNREFUSED`, `ENOENT` …) if no program listens there. */
export async function openSocket(path: string, { checksOwner = true }: SocketOptions = {}): Promise<Socket> {
  if (!checksOwner) return connectTo(path);
  const place = openSocketFolder(path);
  try {
    // Through the folder that was checked, in case the path leads elsewhere by now.
    const socket = await connectTo(place === null ? path : place.folder.locate(place.name));
    checkListener(socket, path);
    return socket;
  } finally {
    place?.folder.close();
  }
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function checkListener(socket: Socket, path: string): void {
  credentials ??= PeerCredentials.open();
  const user = credentials?.findUser(socket);
  if (user === undefined || (user !== null && isTrustedUser(user))) return;
  socket.destroy();
  const who = user === null ? 'an unknown user' : `another user (uid ${user})`;
  throw new UntrustedError(`${who} listens on ${path}; nothing was sent there; choose another --socket`);
}
