/** What a new key of a vault needs, from the options of the command, and what stands in its way in a daemon. */
import { isAbsolute, resolve } from 'node:path';
import type { MaestroVaultError } from '../../client/errors.ts';
import type { Status } from '../../client/types.ts';
import { chooseNewPassphrase } from '../input/new-passphrase.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import type { DailyKind } from './key-store-names.ts';
import type { VaultAccess } from './vault-access.ts';

/** Returns what the kind needs, an object or bytes, which the caller zeroes. */
export async function describeWanted(input: Input, kind: DailyKind): Promise<object> {
  if (kind === 'passphrase') return chooseNewPassphrase(input);
  if (kind !== 'file') return {};
  const keyFile = input.text('key-file');
  if (keyFile !== undefined) return { key_file: resolve(keyFile) };
  const { keyDirectory } = input.home;
  if (!isAbsolute(keyDirectory))
    throw new CliError(
      EXIT.failed,
      'HOME is not set, so a key file has no place of its own; give --key-file',
    );
  return { key_directory: keyDirectory };
}

/** `what` is to be done without a daemon. A daemon closes itself at its start: it may ask no keychain then, and write no file elsewhere, unless the vault had such a key. */
export function explainClosed(
  error: unknown,
  access: VaultAccess,
  kind: DailyKind,
  { key_stores: kinds }: Status,
  what = 'add the key',
): unknown {
  const { code, message, reason } = error as Pick<MaestroVaultError, 'message' | 'code' | 'reason'>;
  const isClosed = kind === 'keychain' ? !kinds.includes(kind) : kind === 'file' && reason === 'key_folder';
  if (access !== 'daemon' || code !== 'bad_request' || !isClosed) return error;
  return new CliError(
    EXIT.failed,
    `${message}. mav serve lets itself reach only the key stores that the vault had at its start: end it (Ctrl-C, or mav ` +
      `service stop), ${what}, and start it again`,
  );
}
