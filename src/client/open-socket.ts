/**
 * Connects to a socket. Before a token, a passphrase or a value is sent, it is certain that this user or root listens: by the
 * owners and modes of the folders, which the daemon checks by the same rules, and by the kernel where it can be asked.
 */
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { isTrustedUser, openSocketFolder, UntrustedError } from '../places/trusted-places.ts';
import { PeerCredentials } from '../system/peer-credentials.ts';
import { SocketCalls } from '../system/socket-calls.ts';
import { BriefChannel } from './brief-channel.ts';
import { type Channel, NetChannel } from './channel.ts';

export interface SocketOptions {
  /** False: any program that listens there gets what is sent. */
  readonly checksOwner?: boolean | undefined;
  /** True: this process is a `mav` command, which sends a few short requests and ends. It is to load node:net only if it must. */
  readonly isBrief?: boolean | undefined;
}

/** undefined: not looked for yet; null: there are none. */
let credentials: PeerCredentials | null | undefined;

/** Rejects with UntrustedError, or with Node's own error (`ECONNREFUSED`, `ENOENT` …) if no program listens there. */
export async function openChannel(path: string, options: SocketOptions = {}): Promise<Channel> {
  const { checksOwner = true, isBrief = false } = options;
  const brief = checksOwner && isBrief ? openBriefChannel(path) : null;
  return brief ?? new NetChannel(await openSocket(path, options));
}

/** Rejects as openChannel does. */
export async function openSocket(path: string, { checksOwner = true }: SocketOptions = {}): Promise<Socket> {
  if (!checksOwner) return connectTo(path);
  const place = openSocketFolder(path);
  try {
    // Through the folder that was checked, in case the path leads elsewhere by now.
    const socket = await connectTo(place === null ? path : place.folder.locate(place.name));
    checkListener(
      path,
      (asked) => asked.findUser(socket),
      () => socket.destroy(),
    );
    return socket;
  } finally {
    place?.folder.close();
  }
}

/** Returns null if there is no such channel here, or no program listens. Throws UntrustedError. */
function openBriefChannel(path: string): BriefChannel | null {
  const calls = SocketCalls.open();
  if (calls === null) return null;
  // The daemon says to its owner which program asks.
  calls.nameProcess('mav');
  const place = openSocketFolder(path);
  try {
    const descriptor = calls.connect(place === null ? path : place.folder.locate(place.name));
    if (descriptor === null) return null;
    checkListener(
      path,
      (asked) => asked.findUserOf(descriptor),
      () => closeSync(descriptor),
    );
    return new BriefChannel(descriptor, calls);
  } finally {
    place?.folder.close();
  }
}

function connectTo(path: string): Promise<Socket> {
  // Not at the top of the file: a brief process does without it.
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Throws UntrustedError, after `close`, if the kernel says that another user listens. */
function checkListener(
  path: string,
  findUser: (asked: PeerCredentials) => number | null,
  close: () => void,
): void {
  credentials ??= PeerCredentials.open();
  if (credentials === null) return;
  const user = findUser(credentials);
  if (user !== null && isTrustedUser(user)) return;
  close();
  const who = user === null ? 'an unknown user' : `another user (uid ${user})`;
  throw new UntrustedError(`${who} listens on ${path}; nothing was sent there; choose another --socket`);
}
