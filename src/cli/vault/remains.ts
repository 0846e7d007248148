/** Removes what a destroyed vault leaves in its folder and beside its socket. Files of the user's own stay. */
import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAlive } from '../../client/alive.ts';
import type { Home } from '../../places/home.ts';
import { findSessionFile, locatePointer } from '../../places/session-token.ts';
import type { Input } from '../run/command.ts';

/** A daemon finishes what is under way first; that is bounded by ten seconds. */
const OWNER_PATIENCE_MS = 15_000;
/** A socket on its way into place, left by a daemon that was killed just then. */
const SOCKET_DRAFT = /^\.[0-9a-f]{8}$/;

export interface Remains {
  /** Names in the vault's folder that are not the program's. */
  readonly kept: readonly string[];
  /** Why a file of mav is still there; null if none is. */
  readonly leftovers: string | null;
}

/** Waits until no process has the vault, and removes what is left of it. `folder`: the vault's, as its daemon said. */
export async function removeRemains({ home, context }: Input, folder: string): Promise<Remains> {
  const own: Home = { ...home, lockPath: join(folder, 'owner.lock'), ownerPath: join(folder, 'owner.json') };
  const taken = await takeOver(own);
  if (taken !== null) return { kept: [], leftovers: taken };
  const { releaseOwnership } = await import('../../daemon/ownership.ts');
  try {
    if (existsSync(join(folder, 'vault.db')))
      return { kept: [], leftovers: `another vault was made in ${folder} meanwhile` };
    await removeFiles(own, folder, context.env);
  } finally {
    releaseOwnership(own);
  }
  removeIfEmpty(home.keyDirectory);
  const kept = removeIfEmpty(folder) ? [] : readdirSync(folder);
  // A service manager keeps the socket, to start a daemon that would find no vault.
  const leftovers = existsSync(home.socketPath)
    ? `something still listens on ${home.socketPath}; if that is the service, remove it: mav service uninstall`
    : null;
  return { kept, leftovers };
}

/** Returns null once this process owns the vault's place, which the daemon gives up last; else who has it. */
async function takeOver(home: Home): Promise<string | null> {
  const { awaitOwnership, OwnedElsewhereError } = await import('../../daemon/ownership.ts');
  try {
    await awaitOwnership(home, 'destroy', OWNER_PATIENCE_MS);
    return null;
  } catch (error) {
    if (error instanceof OwnedElsewhereError) return error.message;
    throw error;
  }
}

async function removeFiles(
  { lockPath, socketPath }: Home,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  for (const path of [lockPath, `${lockPath}-journal`]) rmSync(path, { force: true });
  const drafts = readdirSync(folder).filter((name) => SOCKET_DRAFT.test(name));
  for (const socket of [socketPath, ...drafts.map((name) => join(folder, name))])
    if (isSocket(socket) && !(await isAlive(socket))) rmSync(socket, { force: true });
  if (existsSync(socketPath) || !existsSync(dirname(socketPath))) return;
  const session = findSessionFile(env, socketPath);
  for (const path of [session, locatePointer(socketPath)])
    for (const left of [path, `${path}.new`]) rmSync(left, { force: true });
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}
