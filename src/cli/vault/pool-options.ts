/** The options that a vault is opened with, from flags and environment. */
import { join, resolve } from 'node:path';
import type { KnownVault } from '../../../workers/messages.ts';
import { readConfig } from '../../places/config.ts';
import type { Home } from '../../places/home.ts';
import type { PoolOptions } from '../../pool/pools.ts';
import type { Context } from '../run/context.ts';
import { usageError } from '../run/failure.ts';

/** How long a call of the OS keychain may take: the keychain may show a dialogue and wait for the user. */
const KEYCHAIN_TIMEOUT_MS = 10_000;

/** `readers`: null for a number that fits the machine's cores. `known`: null if nothing is known of the vault. */
export function poolOptions(
  { env }: Context,
  home: Home,
  passphraseFile: string | undefined,
  readers: number | null,
  known: KnownVault | null,
  mayBeTraced = false,
): PoolOptions {
  return {
    databasePath: home.databasePath,
    known,
    knownVaultsPath: home.knownVaultsPath,
    passphraseFile: passphraseFile === undefined ? null : resolve(passphraseFile),
    credentialsDirectory: env.CREDENTIALS_DIRECTORY || null,
    keychainTimeoutMs: readTimeout(env.MAV_KEYCHAIN_TIMEOUT_MS),
    readers,
    entryLimits: readEntryLimits(home),
    mayBeTraced,
  };
}

/** Ignores a config.json that cannot be followed: the command line has reported it, unless the command tolerates it. */
function readEntryLimits({ directory }: Home): NonNullable<PoolOptions['entryLimits']> {
  try {
    const { max_fields: fields, max_entry_bytes: bytes } = readConfig(join(directory, 'config.json'));
    return { ...(fields === undefined ? {} : { fields }), ...(bytes === undefined ? {} : { bytes }) };
  } catch {
    return {};
  }
}

function readTimeout(given: string | undefined): number {
  if (given === undefined || given === '') return KEYCHAIN_TIMEOUT_MS;
  if (!/^[1-9][0-9]{0,6}$/.test(given)) {
    throw usageError('MAV_KEYCHAIN_TIMEOUT_MS must be a number of milliseconds');
  }
  return Number(given);
}
