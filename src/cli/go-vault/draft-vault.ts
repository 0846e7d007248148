/** The new vault while it is made beside the Go program's, under a draft's name. A run that was killed may have left one. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Failure } from '../../../workers/messages.ts';
import { Client } from '../../client/client.ts';
import type { Home } from '../../places/home.ts';
import { findKnownVault } from '../../places/known-vaults.ts';
import { adviseOn } from '../../remedies.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, exitCodeOf } from '../run/failure.ts';
import type { VaultPlan } from '../vault/create-vault.ts';
import { poolOptions } from '../vault/pool-options.ts';
import { chooseReader } from '../vault/remedy-readers.ts';
import { showWork } from '../vault/show-work.ts';

/** Its places. It has its own lock, because this process holds that of `home`; folder and audit log are those of `home`. */
export function locateDraft(home: Home): Home {
  const at = (name: string) => join(home.directory, name);
  return {
    ...home,
    databasePath: `${home.databasePath}.import`,
    lockPath: at('import.lock'),
    ownerPath: at('import.json'),
  };
}

/**
 * Opens the draft, which is `home` of the input, in this process, with the passphrase that was typed for it; closes it again.
 * `doing`: what a terminal shows meanwhile.
 */
export async function useDraft<T>(
  input: Input,
  { passphrase }: VaultPlan,
  doing: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const { home, command, context, text } = input;
  const { holdInProcess } = await import('../../daemon/in-process.ts');
  const options = poolOptions(context, home, text('passphrase-file'), 0, findKnownVault(home));
  const vault = await holdInProcess(home, command, options, () => {});
  if (vault === null) throw new CliError(EXIT.failed, 'a daemon was started meanwhile; nothing was replaced');
  try {
    // A copy: the body is moved away.
    const unsealed = await vault.unseal(passphrase === null ? null : passphrase.slice());
    if (!unsealed.ok) throw explain(unsealed);
    const client = new Client(vault.send, vault.sessionToken);
    return await showWork(input, { client, access: 'own', kind: 'writing', text: doing }, () => use(client));
  } finally {
    await vault.close();
  }
}

/** Puts the draft in the place of `path`, whose file becomes `kept`. `digest`: that of what was read there. Throws CliError. */
export async function placeDraft(
  input: Input,
  draft: Home,
  params: { readonly path: string; readonly kept: string; readonly digest: string },
): Promise<void> {
  await control(input, draft, { operation: 'goVault.replace', params, body: null });
}

/** Removes a draft with its key, if there is one. A key that its key store does not let go of opens nothing that exists. */
export async function removeDraft(input: Input, draft: Home): Promise<void> {
  const { directory, databasePath, lockPath } = draft;
  if (existsSync(databasePath)) {
    const body = new Uint8Array(Buffer.from('{"confirm":"destroy","force":true}'));
    await control(input, draft, { operation: 'vault.destroy', params: {}, body }).catch(() => {});
  }
  const name = basename(databasePath);
  for (const file of readdirSync(directory))
    if (file.startsWith(name)) rmSync(join(directory, file), { force: true });
  for (const path of [lockPath, `${lockPath}-journal`]) rmSync(path, { force: true });
}

async function control(
  { context }: Input,
  draft: Home,
  call: {
    readonly operation: 'goVault.replace' | 'vault.destroy';
    readonly params: Readonly<Record<string, string>>;
    readonly body: Uint8Array<ArrayBuffer> | null;
  },
): Promise<void> {
  const { Pools } = await import('../../pool/pools.ts');
  const pools = new Pools(poolOptions(context, draft, undefined, 0, findKnownVault(draft)), () => {});
  try {
    const result = await pools.control({ ...call, mayReplace: false });
    if (!result.ok) throw explain(result);
  } finally {
    await pools.close();
  }
}

function explain(failure: Failure): CliError {
  return new CliError(exitCodeOf(failure.code), adviseOn(failure, chooseReader('key')));
}
