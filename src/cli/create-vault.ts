/** Making a vault, for `mav init` and `mav serve --init`: which key store it gets, and what the user is told. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Call } from '../../workers/messages.ts';
import type { Answered } from '../answered.ts';
import { isOurVault } from '../foreign-vault.ts';
import type { Home } from '../home.ts';
import type { Input } from './command.ts';
import type { Context } from './context.ts';
import { CliError, EXIT, exitCodeOf } from './failure.ts';
import { poolOptions } from './vault-options.ts';

const KEY_STORES = ['auto', 'keychain', 'passphrase', 'file'] as const;

type KeyStore = (typeof KEY_STORES)[number];
type Control = (call: Pick<Call, 'operation' | 'params' | 'body'>) => Promise<Answered>;

/** Makes the vault; the caller owns it. Throws CliError, and has changed nothing then. */
export async function createVault(input: Input, home: Home): Promise<void> {
  const keyStore = readKeyStore(input);
  if (existsSync(home.databasePath)) {
    const what = isOurVault(home.databasePath)
      ? 'there is a vault'
      : 'something that is no vault, or a damaged one, is';
    throw new CliError(EXIT.failed, `${what} at ${home.databasePath} already; nothing was changed`);
  }
  const { Pools } = await import('../pool/pools.ts');
  const pools = new Pools(poolOptions(input.context, home, input.text('passphrase-file'), 1), () => {});
  try {
    const control: Control = (call) => pools.control({ ...call, mayReplace: false });
    const chosen = keyStore === 'auto' ? await chooseKeyStore(input, control) : keyStore;
    const created = await control(await buildInit(input, home, chosen));
    if (!created.ok) throw new CliError(exitCodeOf(created.code), created.message);
    tellCreated(input.context, JSON.parse(Buffer.from(created.body).toString()), keyStore);
  } finally {
    await pools.close();
  }
}

/** Checked before anything starts. */
function readKeyStore({ text }: Input): KeyStore {
  const given = text('key-store') ?? 'auto';
  const keyStore = KEY_STORES.find((known) => known === given);
  if (keyStore === undefined)
    throw new CliError(EXIT.usage, `--key-store must be one of ${KEY_STORES.join(', ')}`);
  if (text('key-file') !== undefined && keyStore !== 'file') {
    throw new CliError(EXIT.usage, '--key-file goes with --key-store file');
  }
  if (text('passphrase-file') !== undefined && keyStore !== 'passphrase') {
    throw new CliError(EXIT.usage, '--passphrase-file goes with --key-store passphrase');
  }
  return keyStore;
}

/** The keychain if it works; else a passphrase if somebody can be asked for one; else a key file. */
async function chooseKeyStore({ context }: Input, control: Control): Promise<KeyStore> {
  const probed = await control({ operation: 'vault.probeKeychain', params: {}, body: null });
  const { problem } = probed.ok
    ? JSON.parse(Buffer.from(probed.body).toString())
    : { problem: probed.message };
  if (problem === null) return 'keychain';
  context.say(`The OS keychain ${problem}.`);
  return context.canAsk ? 'passphrase' : 'file';
}

async function buildInit(input: Input, home: Home, keyStore: KeyStore): Promise<Parameters<Control>[0]> {
  const { context, text } = input;
  const keyFile = text('key-file');
  const params = {
    key_store: keyStore,
    key_directory: home.keyDirectory,
    ...(keyFile === undefined ? {} : { key_file: resolve(keyFile) }),
  };
  const mustAsk = keyStore === 'passphrase' && text('passphrase-file') === undefined;
  if (mustAsk && !context.canAsk) {
    throw new CliError(EXIT.usage, 'nobody can be asked for a passphrase here; give --passphrase-file');
  }
  const body = mustAsk ? await (await import('./prompt.ts')).askNewPassphrase(context) : null;
  return { operation: 'vault.init', params, body };
}

function tellCreated(
  { say }: Context,
  created: { db_path: string; key_store: string; key_file?: string },
  asked: KeyStore,
): void {
  say(`Made a vault at ${created.db_path}, its key in ${describeKeyStore(created)}.`);
  if (created.key_store === 'file' && asked === 'auto') {
    say(
      'Warning: whoever has both the vault and the key file can read every secret. The key file protects a copy of\n' +
        "the vault's folder (a backup, a synced folder), but not against somebody who reads all your files or has your\n" +
        'disk. A keychain or a passphrase does: mav init --key-store passphrase.',
    );
  }
  if (created.key_store === 'file')
    say('Keep a copy of the key file in a safe place: without it the vault is lost.');
}

function describeKeyStore({ key_store, key_file }: { key_store: string; key_file?: string }): string {
  if (key_store === 'file') return `the file ${key_file}`;
  return key_store === 'keychain' ? 'the OS keychain' : 'your passphrase';
}
