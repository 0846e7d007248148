/** Checks before a service manager is told to start the daemon. */
import { isAlive } from '../../client/alive.ts';
import { checkSocketPath, type Home, isThere, secureHome } from '../../places/home.ts';
import { CliError, EXIT } from '../run/failure.ts';
import type { Service } from './service.ts';
import { stepSucceeds } from './steps.ts';

/** Throws CliError or UnsafePlaceError if the daemon would only fail, again and again. */
export function checkServable(home: Home): void {
  if (!isThere(home.databasePath)) {
    throw new CliError(EXIT.failed, `there is no vault at ${home.databasePath}; make one first: mav init`);
  }
  secureHome(home);
  checkSocketPath(home.socketPath);
}

/** Throws CliError if a daemon serves that the manager has not started: it would take the socket's place from it. */
export async function checkNobodyServes({ socketPath }: Home, { isManaged }: Service): Promise<void> {
  if (!(await isAlive(socketPath)) || (await stepSucceeds(isManaged).catch(() => false))) return;
  throw new CliError(
    EXIT.failed,
    `a daemon that is not the service's listens on ${socketPath}; stop it first`,
  );
}
