/** What has to be so before a service manager is told to start the daemon. */
import { existsSync } from 'node:fs';
import { isAlive } from '../../client/alive.ts';
import type { Home } from '../../home.ts';
import { CliError, EXIT } from '../failure.ts';
import type { Service } from './service.ts';
import { succeeds } from './steps.ts';

/** Throws CliError if the daemon would only fail, again and again. */
export function checkVault({ databasePath }: Home): void {
  if (!existsSync(databasePath)) {
    throw new CliError(EXIT.failed, `there is no vault at ${databasePath}; make one first: mav init`);
  }
}

/** Throws CliError if a daemon serves that the manager has not started: it would take the socket's place from it. */
export async function checkNobodyServes({ socketPath }: Home, { isManaged }: Service): Promise<void> {
  if (!(await isAlive(socketPath)) || (await succeeds(isManaged).catch(() => false))) return;
  throw new CliError(
    EXIT.failed,
    `a daemon that is not the service's listens on ${socketPath}; stop it first`,
  );
}
