/** The passphrase that a command sends to a running daemon: from a file, or typed. */
import { readFileSync } from 'node:fs';
import type { Client } from '../client/client.ts';
import type { Input } from './command.ts';
import { CliError, EXIT } from './failure.ts';

/** A body with the passphrase, or undefined where the vault needs none. Throws CliError if it cannot be had. */
export async function passphraseBody(input: Input, client: Client): Promise<unknown> {
  const file = input.text('passphrase-file');
  if (file !== undefined) return { passphrase: readPassphrase(file) };
  const { key_stores: keyStores } = await client.status();
  if (!keyStores.includes('passphrase') || !input.context.canAsk) return undefined;
  const { askPassphrase } = await import('./prompt.ts');
  return askPassphrase('Passphrase: ');
}

/** Without the newline that editors and `echo` put at its end. */
function readPassphrase(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    throw new CliError(EXIT.failed, `the passphrase file ${path} cannot be read`);
  }
}
