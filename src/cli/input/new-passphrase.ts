/** The new passphrase of a vault that exists, from a file or typed twice. */
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { closeMemory } from './passphrase.ts';
import { readPassphrase } from './passphrase-file.ts';

/** Returns `{"new_passphrase": …}`, as an object or as bytes, which the caller zeroes. `member`: its name. Throws CliError. */
export async function chooseNewPassphrase(
  { context, text }: Input,
  member: 'new_passphrase' | 'passphrase' = 'new_passphrase',
): Promise<object> {
  const file = text('new-passphrase-file');
  await closeMemory();
  if (file !== undefined) return { [member]: readPassphrase(file) };
  const { askNewPassphrase, canType } = await import('../terminal/prompt.ts');
  if (!context.canAskPassphrase || !canType())
    throw usageError('nobody can be asked for a new passphrase here; give --new-passphrase-file');
  return askNewPassphrase(context, member);
}
