/**
 * Socket activation, sd_listen_fds(3): a service manager has made the socket, listens on it from login on, and hands
 * it to the daemon that it starts for the first connection. The socket stays the manager's: it is never unlinked here.
 */
import { fstatSync, lstatSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import type { Server } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { UnsafePlaceError, UntrustedError, WRITE_BY_OTHERS } from '../places/trusted-places.ts';

/** SD_LISTEN_FDS_START: the first descriptor that is handed over. */
export const HANDED_DESCRIPTOR = 3;
const VARIABLES = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDNAMES'];
/** __SO_ACCEPTCON and SOCK_STREAM, as the kernel's table of Unix sockets writes them. */
const LISTENING = '00010000';
const STREAM = '0001';

/** A listening socket that the service manager has handed over. */
export interface HandedSocket {
  readonly descriptor: number;
}

/** Returns whether `env` says that a socket was handed to this very process, and not to one that passed `env` on. */
export function isHandedSocket({ LISTEN_FDS: count, LISTEN_PID: pid }: NodeJS.ProcessEnv): boolean {
  return count !== undefined && pid === String(process.pid);
}

/**
 * Returns the socket that was handed to this process; null if none was. Takes the variables out of `env`, so that no child
 * process believes them. Throws UnsafePlaceError unless it is one socket, private, at `socketPath`.
 */
export function takeHandedSocket(env: NodeJS.ProcessEnv, socketPath: string): HandedSocket | null {
  const isHanded = isHandedSocket(env);
  const { LISTEN_FDS: count = '' } = env;
  for (const name of VARIABLES) delete env[name];
  if (!isHanded) return null;
  if (!/^\d{1,9}$/.test(count)) throw new UnsafePlaceError('LISTEN_FDS is not a number');
  if (Number(count) === 0) return null;
  if (Number(count) > 1) {
    throw new UnsafePlaceError(
      `the service manager handed over ${Number(count)} sockets; give its socket unit one ListenStream= only`,
    );
  }
  checkListening(HANDED_DESCRIPTOR, socketPath);
  checkPrivate(socketPath);
  return { descriptor: HANDED_DESCRIPTOR };
}

/** Listens on the socket. Connections that wait there already are accepted. */
export function listenOnHanded(server: Server, { descriptor }: HandedSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd: descriptor }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Throws UnsafePlaceError unless the socket lies at `socketPath`, where clients look for the daemon and its token. */
function checkListening(descriptor: number, socketPath: string): void {
  const path = findListeningPath(descriptor);
  if (path === null) {
    throw new UnsafePlaceError(
      `descriptor ${descriptor} from the service manager is not a listening Unix stream socket; give its socket unit ListenStream=${socketPath}`,
    );
  }
  if (locate(path) !== locate(socketPath)) {
    throw new UnsafePlaceError(
      `the service manager listens on ${path}, but this vault's socket is ${socketPath}; make ListenStream= and MAV_SOCKET the same`,
    );
  }
}

/** Returns the path that the descriptor's socket is bound to; null unless it is a listening Unix stream socket. */
function findListeningPath(descriptor: number): string | null {
  const stat = statDescriptor(descriptor);
  if (!stat?.isSocket()) return null;
  // Num, RefCount, Protocol, Flags, Type, St, Inode, Path: unix(7) names the table, not its columns.
  for (const line of readFileSync('/proc/self/net/unix', 'utf8').split('\n')) {
    const [, flags, type, inode, path = ''] =
      /^\S+ \S+ \S+ (\S+) (\S+) \S+ +(\d+)(?: (.*))?$/.exec(line) ?? [];
    if (inode === String(stat.ino)) return flags === LISTENING && type === STREAM ? path : null;
  }
  return null;
}

function statDescriptor(descriptor: number): Stats | null {
  try {
    return fstatSync(descriptor);
  } catch {
    return null;
  }
}

/** Returns the path with the links in its folder resolved; unchanged if there is no such folder. */
function locate(path: string): string {
  try {
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

/** The manager has set the modes, but the daemon is responsible for who may connect. */
function checkPrivate(socketPath: string): void {
  const stat = lstatSync(socketPath, { throwIfNoEntry: false });
  // Connecting takes the permission to write, unix(7).
  if (!stat?.isSocket() || stat.uid !== process.geteuid?.() || (stat.mode & WRITE_BY_OTHERS) !== 0) {
    throw new UntrustedError(
      `the socket ${socketPath} is open to other users; give its socket unit SocketMode=0600`,
    );
  }
}
