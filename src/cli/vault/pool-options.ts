/** The options that a vault is opened with, from flags and environment. */
import { join, resolve } from 'node:path';
import type { KnownVault } from '../../../workers/messages.ts';
import { type Config, readConfig } from '../../places/config.ts';
import type { Home } from '../../places/home.ts';
import type { PoolOptions } from '../../pool/pools.ts';
import type { Context } from '../run/context.ts';
import { usageError } from '../run/failure.ts';

/** How long a call of the OS keychain may take: the keychain may show a dialogue and wait for the user. */
const KEYCHAIN_TIMEOUT_MS = 10_000;
const SECONDS_PER_DAY = 86_400;

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
    ...readLimits(home),
    mayBeTraced,
  };
}

/** Ignores a config.json that cannot be followed: the command line has reported it, unless the command tolerates it. */
function readLimits({ directory }: Home): Pick<PoolOptions, 'entryLimits' | 'historyLimits' | 'auditRules'> {
  const config = tryReadConfig(join(directory, 'config.json'));
  const { max_fields: fields, max_entry_bytes: bytes } = config;
  const { keep_versions: keptVersions, keep_deleted_days: days } = config;
  const { audit, keep_audit_days: auditDays } = config;
  return {
    entryLimits: { ...(fields === undefined ? {} : { fields }), ...(bytes === undefined ? {} : { bytes }) },
    historyLimits: {
      ...(keptVersions === undefined ? {} : { keptVersions }),
      ...(days === undefined ? {} : { deletedSeconds: days * SECONDS_PER_DAY }),
    },
    auditRules: {
      ...(audit === undefined ? {} : { isRequired: audit === 'required' }),
      ...(auditDays === undefined ? {} : { keptSeconds: auditDays * SECONDS_PER_DAY }),
    },
  };
}

function tryReadConfig(path: string): Config {
  try {
    return readConfig(path);
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
