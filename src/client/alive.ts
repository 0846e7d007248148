/** Whether anybody listens on a socket. */
import { connect } from 'node:net';

/**
 * ECONNREFUSED: nobody does; ENOENT, ENOTDIR: there is no such place; EINVAL: the path is too long to be one.
 * Anything else might be a live one: leave it alone.
 */
const NOBODY_LISTENS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'EINVAL']);

/** Whether a failed connection says that there is no daemon. */
export function meansNobody(error: unknown): boolean {
  return NOBODY_LISTENS.has((error as NodeJS.ErrnoException).code ?? '');
}

export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(!meansNobody(error)));
  });
}
