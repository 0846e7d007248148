/** Puts the socket in place and removes it. Replaces a dead socket, and never unlinks a live one. */
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { isAlive } from '../client/alive.ts';
import { UnsafePlaceError, UntrustedError } from '../places/trusted-places.ts';

/** Identifies the socket, so that another one in its place is noticed. */
interface Identity {
  readonly device: number;
  readonly inode: number;
}

/**
 * Listens on a temporary name, and gives the socket its own name when other users can no longer connect. So the server's
 * close, which unlinks the name it listened on, cannot unlink a successor's socket.
 * Throws UnsafePlaceError if a live socket or something else lies at `path`.
 */
export async function listenAt(server: Server, path: string): Promise<Identity> {
  const draft = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Node's own backlog, 511. With 4,096, the last connection of a flood would wait for over a second.
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
 * Daemons of two vaults with the same `--socket` may both have found the path free, or a dead socket there. The first one to
 * link its socket gets the path.
 */
async function takeName(draft: string, path: string): Promise<void> {
  while (!tryLink(draft, path)) {
    const dead = await checkFree(path);
    if (dead !== null) removeSocket(path, dead);
  }
}

/** Returns false if something lies at the path already. */
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
 * Returns the dead socket at `path`, which may be removed; null if nothing lies there. Throws UnsafePlaceError if a live
 * socket, another user's socket or something else lies there.
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
