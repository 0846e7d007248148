/** The socket's way into place and out of it: a live one is never unlinked, a dead one is taken over. */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import { isAlive } from '../client/alive.ts';
import { UnsafePlaceError } from '../home.ts';

/**
 * So many clients may wait to be let in; the kernel turns others away at once, and curl, say, does not try again. Node
 * would ask for 511. Linux allows 4,096 as a rule (net.core.somaxconn, listen(2)).
 */
export const BACKLOG = 4_096;

/** Tells our socket from one that somebody has put in its place since. */
interface Identity {
  readonly device: number;
  readonly inode: number;
}

/**
 * Listens on a temporary name and renames it into place, so that the socket never lies there with other modes, and
 * so that the server's own close, which unlinks the name it listened on, cannot unlink a successor's socket.
 * Throws UnsafePlaceError if a live socket or something else lies at `path`.
 */
export async function listenAt(server: Server, path: string): Promise<Identity> {
  await checkFree(path);
  const draft = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: draft, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(draft, 0o600);
  const { dev: device, ino: inode } = lstatSync(draft);
  renameSync(draft, path);
  return { device, inode };
}

/** Removes the socket unless another one lies there by now. */
export function removeSocket(path: string, { device, inode }: Identity): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.dev === device && stat.ino === inode) rmSync(path, { force: true });
}

/** Throws UnsafePlaceError if a live socket, somebody else's or something else lies at `path`. */
export async function checkFree(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new UnsafePlaceError(`${path} exists and is not a socket; move it away`);
  if (stat.uid !== process.geteuid?.())
    throw new UnsafePlaceError(
      `${path} belongs to another user (uid ${stat.uid}); remove it, or choose another --socket`,
    );
  if (await isAlive(path))
    throw new UnsafePlaceError(`another program is listening on ${path}; choose another --socket`);
}
