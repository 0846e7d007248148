/** What the vault says is not there is explained before a command fails. Small: the shortest commands load it too. */
import type { Client } from '../../client/client.ts';
import type { Input } from '../command.ts';
import { hasErrorCode } from '../failure.ts';
import type { Wanted } from './missing.ts';

/**
 * `asked`, and where that fails because what is wanted is not there, a CliError that says so: what it is called, where
 * it was looked for, and where it is instead.
 */
export async function orExplain<T>(
  input: Input,
  client: Client,
  wanted: Wanted,
  asked: Promise<T>,
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!hasErrorCode(error, 'not_found')) throw error;
    const { explainMissing } = await import('./missing.ts');
    throw await explainMissing(input, client, [wanted]);
  }
}
