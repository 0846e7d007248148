/** `mav import`: stores what is in a file, or in a vault of the Go program, all of it or nothing. */
import type { Input, Run } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { readImportSource } from '../transfer/import-source.ts';
import { storeImport } from '../transfer/store-import.ts';

/** Options that go with one of the two only. */
const OF_A_FILE = ['env', 'format', 'skip-empty'];
const OF_A_VAULT = ['key-file', 'key-store', 'skip-refused'];

export const run: Run = async (input) => {
  const { args, flag } = input;
  if (flag('from-maestrovault')) {
    checkOptions(input, OF_A_FILE, 'does not go with --from-maestrovault');
    return (await import('../go-vault/import-go-vault.ts')).importGoVault(input);
  }
  checkOptions(input, OF_A_VAULT, 'goes with --from-maestrovault');
  if (args.length === 0)
    throw usageError('mav import takes a file, or --from-maestrovault; see mav import --help');
  // The file is read before the vault is opened, and the vault is closed again while the user is asked.
  return storeImport(input, args[0] ?? '', () => readImportSource(input));
};

function checkOptions({ text, flag }: Input, options: readonly string[], problem: string): void {
  for (const option of options)
    if (text(option) !== undefined || flag(option)) throw usageError(`--${option} ${problem}`);
}
