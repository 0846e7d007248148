/** The socket's way into place and out of it: a live one is never unlinked, a dead one is taken over. */
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { isAlive } from '../client/alive.ts';
import { UnsafePlaceError, UntrustedError } from '../places/trusted-places.ts';

/** Tells our socket from one that somebody has put in its place since. */
interface Identity {
  readonly device: number;
  readonly inode: number;
}

/**
 * Listens on a temporary name and gives the socket its own when it is closed to others. The server's close, which unlinks
 * the name it listened on, cannot unlink a successor's socket then.
 * Throws UnsafePlaceError if a live socket or something else lies at `path`.
 */
export async function listenAt(server: Server, path: string): Promise<Identity> {
  const draft = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // So many may wait to be let in as Node asks for, 511. With 4,096, who comes last in a flood waits for over a second.
    server.listen(draft, () => {
      server.off('error', reject);
      resolve();
    });
  });
  try {
    chmodSync(draft, 0o600);
    const { dev: device, ino: inode } = lstatSync(draft);
    await takeName(draft, path);
    return { device, inode };
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Daemons of two vaults that are given the same `--socket` may both have found it free, or a dead one there: the first to
 * link it has it.
 */
async function takeName(draft: string, path: string): Promise<void> {
  while (!tryLink(draft, path)) {
    const dead = await checkFree(path);
    if (dead !== null) removeSocket(path, dead);
  }
}

/** False if there is something already. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the socket unless another one lies there by now. */
export function removeSocket(path: string, { device, inode }: Identity): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.dev === device && stat.ino === inode) rmSync(path, { force: true });
}

/**
 * The dead socket at `path`, which may be removed; null if there is nothing. Throws UnsafePlaceError if a live socket,
 * somebody else's or something else lies there.
 */
export async function checkFree(path: string): Promise<Identity | null> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isSocket()) throw new UnsafePlaceError(`${path} exists and is not a socket; move it away`);
  if (stat.uid !== process.geteuid?.())
    throw new UntrustedError(
      `${path} belongs to another user (uid ${stat.uid}); remove it, or choose another --socket`,
    );
  if (await isAlive(path))
    throw new UnsafePlaceError(`another program is listening on ${path}; choose another --socket`);
  return { device: stat.dev, inode: stat.ino };
}
