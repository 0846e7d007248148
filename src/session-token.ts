/**
 * The session token: how the command line proves to the daemon that it is run by the same user. The daemon mints it
 * at start and writes it where only that user can read it; it is gone at exit. Every short command loads this file, so
 * it does without node:crypto, whose loading would take a tenth of what such a command takes.
 */
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';

const ACCESS_BY_OTHERS = 0o077;

/**
 * In the runtime folder where there is one, so that it reaches no disk and no backup; else beside the socket. Its name
 * comes of the socket's path, so that several daemons live side by side and a client finds the one it talks to.
 */
export function locateSessionToken(env: NodeJS.ProcessEnv, socketPath: string): string {
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime === undefined || !isAbsolute(runtime) || !isPrivateFolder(runtime))
    return `${socketPath}.session`;
  const socket = join(realpathSync.native(dirname(socketPath)), basename(socketPath));
  // A socket's path is short enough (sun_path) for its base64url to be a file's name.
  const name = Buffer.from(socket).toString('base64url');
  return join(runtime, 'maestrovault', `${name}.session`);
}

function isPrivateFolder(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return (
    stat?.isDirectory() === true && stat.uid === process.geteuid?.() && (stat.mode & ACCESS_BY_OTHERS) === 0
  );
}

/** Written under another name and renamed: a reader sees the old token or the new one, never half of one. */
export function writeSessionToken(path: string, token: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // The process owns the vault, so no other one writes here; what a killed one left is replaced.
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, token, { flag: 'wx', mode: 0o600 });
  renameSync(draft, path);
}

/** The token, or null if no daemon has left one. */
export function readSessionToken(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * As readSessionToken, for a socket that somebody listens on. That may be a service manager, which starts the daemon
 * only for the first connection: then the token comes before the first answer, which `answers` waits for.
 */
export async function awaitSessionToken(
  path: string,
  answers: () => Promise<unknown>,
): Promise<string | null> {
  const token = readSessionToken(path);
  if (token !== null) return token;
  await answers();
  return readSessionToken(path);
}

/** Of the daemon, which may not look into the runtime folder any more. */
export function removeSessionToken(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
