/** Explains what the vault did not find before a command fails. Small, because the shortest commands load it too. */
import type { Client } from '../../client/client.ts';
import type { Input } from '../run/command.ts';
import { hasErrorCode } from '../run/failure.ts';
import type { Wanted } from './missing.ts';

/**
 * Returns what `asked` resolves to. If the vault does not have it, throws a CliError that says what is missing, where it
 * was looked for, and where it is instead.
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
