/** Before somebody is asked for what is to be stored: whether there is a vault to store it in. */
import { isAlive } from '../../client/alive.ts';
import { describeNoVault, hasVault } from '../../places/home.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode } from '../run/failure.ts';
import { readGivenToken, withVault } from './access.ts';

/**
 * Throws CliError if there is no vault, or a daemon that cannot store. Obstacles that show only when the vault is opened, such
 * as a wrong passphrase, come later.
 */
export async function checkReachable(input: Input): Promise<void> {
  const { home, context } = input;
  if (readGivenToken(context.env) === null && !(await isAlive(home.socketPath))) {
    if (hasVault(home)) return;
    throw new CliError(EXIT.failed, describeNoVault(home));
  }
  try {
    await withVault(input, (client) => client.listSecrets({ limit: 1 }));
  } catch (error) {
    // The token may not read, but perhaps it may write.
    if (!hasErrorCode(error, 'forbidden')) throw error;
  }
}
