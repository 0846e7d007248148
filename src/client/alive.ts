/** Whether a program listens on a socket. */

/**
 * ECONNREFUSED: no program listens. ENOENT, ENOTDIR: there is no such path. EINVAL: the path is too long for a socket. With
 * any other error a daemon may be there.
 */
const NOBODY_LISTENS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'EINVAL']);

/** Whether a failed connection says that there is no daemon. */
export function meansNobody(error: unknown): boolean {
  return NOBODY_LISTENS.has((error as NodeJS.ErrnoException).code ?? '');
}

export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    // Not at the top of the file: most who load it ask for no probe, and node:net takes long to load.
    const probe = process.getBuiltinModule('node:net').connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(!meansNobody(error)));
  });
}
