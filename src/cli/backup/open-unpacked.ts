/** Opens the vault of an unpacked backup in this process, with the key that the backup opens with. */
import { join } from 'node:path';
import type { KnownVault } from '../../../workers/messages.ts';
import { Client } from '../../client/client.ts';
import type { Reason } from '../../client/errors.ts';
import type { InProcessVault } from '../../daemon/in-process.ts';
import type { Home } from '../../places/home.ts';
import { canAskCode, readCodeFile, tryCodes } from '../input/recovery-code.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { type CheckReport, checkShowing } from '../vault/check-vault.ts';
import { joinBodies } from '../vault/join-bodies.ts';
import { reportTo, unsealVault } from '../vault/own-vault.ts';
import { poolOptions } from '../vault/pool-options.ts';
import type { Unpacked } from './unpack.ts';

export interface OpenedBackup {
  readonly client: Client;
  readonly report: CheckReport;
  /** Whether the backup is what the vault's key signed, byte for byte. */
  readonly isGenuine: boolean;
  /** Whether its recovery code opened it, because its key is not here. */
  readonly isByCode: boolean;
}

/** Opens every row, and then runs `use`. Throws CliError if no key opens the backup. */
export async function withOpenedBackup<T>(
  input: Input,
  unpacked: Unpacked,
  use: (opened: OpenedBackup) => Promise<T>,
): Promise<T> {
  const { context, command } = input;
  const home = locateUnpacked(input.home, unpacked.folder);
  const known = unpacked.head.vault;
  const options = poolOptions(context, home, input.text('passphrase-file'), 0, known);
  const { holdInProcess } = await import('../../daemon/in-process.ts');
  const vault = await holdInProcess(home, command, options, reportTo(context));
  if (vault === null) throw new CliError(EXIT.failed, `${home.directory} is held by another process`);
  try {
    const client = new Client(vault.send, vault.sessionToken);
    const isByCode = await unsealUnpacked(input, vault, client, known);
    const { line, mac, isWhole } = unpacked;
    const isGenuine = isWhole && (await vault.confirmBackup(line, mac));
    return await use({ client, report: await checkShowing(input, client), isGenuine, isByCode });
  } finally {
    await vault.close();
  }
}

/** Why a backup does not open with what the vault opens with: that is not on this machine. */
const GONE: ReadonlySet<Reason | undefined> = new Set(['keychain_entry_missing', 'key_file_missing']);

/** Takes the recovery code if it is given, or if the key is not here and somebody can be asked for it. Returns whether it did. */
async function unsealUnpacked(
  input: Input,
  vault: InProcessVault,
  client: Client,
  { slots }: KnownVault,
): Promise<boolean> {
  const given = await readCodeFile(input);
  if (given === null) {
    const first = await vault.unseal();
    if (first.ok) return false;
    const hasCode = slots.some(({ kind }) => kind === 'recovery');
    const isCodeOfUse = hasCode && GONE.has(first.reason);
    if (!isCodeOfUse || !(await canAskCode(input))) {
      if (isCodeOfUse)
        input.context.complain('This backup opens with its recovery code, too: --recovery-file PATH.');
      await unsealVault(input, vault, first);
      return false;
    }
    input.context.say('The key of this backup is not on this machine. Its recovery code opens it.');
  }
  await tryCodes(input, given, (code) => client.request('vault.unseal', { body: joinBodies(code) }));
  return true;
}

export function locateUnpacked(home: Home, folder: string): Home {
  return {
    ...home,
    directory: folder,
    databasePath: join(folder, 'vault.db'),
    socketPath: join(folder, 'maestrovault.sock'),
    lockPath: join(folder, 'owner.lock'),
    ownerPath: join(folder, 'owner.json'),
    // What is seen of a copy goes with it.
    knownVaultsPath: join(folder, 'known-vaults.json'),
  };
}
