/**
 * The session token: how the command line proves to the daemon that it is run by the same user. The daemon mints it
 * at start and writes it where only that user can read it; it is gone at exit. Every short command loads this file, so
 * it does without node:crypto, whose loading would take a tenth of what such a command takes.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import {
  ACCESS_BY_OTHERS,
  checkFolders,
  readTrustedFile,
  SECRET,
  UnsafePlaceError,
} from './trusted-places.ts';

const EXTENSION = '.session';
/** More than a token, or a path. */
const MAX_SIZE = 65_536;

/**
 * In the runtime folder where there is one, so that it reaches no disk and no backup; else beside the socket. Its name
 * comes of the socket's path, so that several daemons live side by side and a client finds the one it talks to.
 */
export function locateSessionToken(env: NodeJS.ProcessEnv, socketPath: string): string {
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime === undefined || !isAbsolute(runtime) || !isPrivateFolder(runtime))
    return socketPath + EXTENSION;
  const socket = join(realpathSync.native(dirname(socketPath)), basename(socketPath));
  // A socket's path is short enough (sun_path) for its base64url to be a file's name.
  const name = Buffer.from(socket).toString('base64url');
  return join(runtime, 'maestrovault', name + EXTENSION);
}

/** Whether a session's token may lie in it. */
export function isPrivateFolder(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory() || stat.uid !== process.geteuid?.() || (stat.mode & ACCESS_BY_OTHERS) !== 0)
    return false;
  try {
    checkFolders(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Its first line says where the token of this socket is, for commands whose environment names another runtime folder, or
 * none; its second line which socket that is.
 */
export function locatePointer(socketPath: string): string {
  return `${socketPath}.session-path`;
}

/** Leaves a daemon's token for the command line. Returns how to take it away again, without looking into a folder. */
export function leaveSessionToken(env: NodeJS.ProcessEnv, socketPath: string, token: string): () => void {
  const path = locateSessionToken(env, socketPath);
  const beside = socketPath + EXTENSION;
  const pointer = locatePointer(socketPath);
  // What a killed daemon left, which had another environment, must not be found before this.
  if (path !== beside) rmSync(beside, { force: true });
  writePrivate(path, token);
  writePrivate(pointer, `${path}\n${identifySocket(socketPath)}\n`);
  return () => {
    removeFile(path);
    removeFile(pointer);
  };
}

/**
 * What the kernel says of this very socket, and of no other that lies in its place later or is given to this user: its
 * inode, and when that was changed last (inode(7)), which nobody can set. mav.sh compares it.
 */
function identifySocket(path: string): string {
  const { ino, ctimeNs } = lstatSync(path, { bigint: true });
  return `${ino}:${ctimeNs / 1_000_000_000n}`;
}

/** Written under another name and renamed: a reader sees the old text or the new one, never half of one. */
function writePrivate(path: string, text: string): void {
  // The one above it is the runtime folder, or the socket's own.
  if (!existsSync(dirname(path))) mkdirSync(dirname(path), { mode: 0o700 });
  // The process owns the vault, so no other one writes here; what a killed one left is replaced.
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
  renameSync(draft, path);
}

/** Returns where the token of the daemon on this socket is: as the daemon wrote it down, else as follows from `env`. Throws UntrustedError. */
export function findSessionFile(env: NodeJS.ProcessEnv, socketPath: string): string {
  const [told = ''] = readSessionToken(locatePointer(socketPath))?.split('\n') ?? [];
  if (isAbsolute(told) && told.endsWith(EXTENSION)) return told;
  const beside = socketPath + EXTENSION;
  return existsSync(beside) ? beside : locateSessionToken(env, socketPath);
}

/**
 * Returns the text of a file that no other user can write or read; null if there is none. Links are refused: somebody who can
 * make one must not choose which token goes to a socket. Throws UntrustedError.
 */
export function readSessionToken(path: string): string | null {
  try {
    return readTrustedFile(path, SECRET, MAX_SIZE)?.toString() ?? null;
  } catch (error) {
    if (error instanceof UnsafePlaceError) throw error;
    return null;
  }
}

/**
 * As readSessionToken, for a socket that somebody listens on. That may be a service manager, which starts the daemon
 * only for the first connection: then the token comes before the first answer, which `answers` waits for.
 */
export async function awaitSessionToken(
  env: NodeJS.ProcessEnv,
  socketPath: string,
  answers: () => Promise<unknown>,
): Promise<string | null> {
  const find = () => readSessionToken(findSessionFile(env, socketPath));
  const token = find();
  if (token !== null) return token;
  await answers();
  return find();
}

/** Does not look into the folder first: a closed daemon may not. */
function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
