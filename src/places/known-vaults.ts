/**
 * Which vault lies at which path, as the user knows it: `known-vaults.json` in the folder of the user's settings, outside
 * of every vault's folder. It works as SSH's known_hosts: somebody who can exchange a vault's files cannot also say that
 * the new ones are the user's. Read here and handed to the threads, which compare with it what they open; written by the writer
 * thread (workers/store/known-vaults.ts) when a vault is made, adopted or destroyed.
 */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative } from 'node:path';
import type { KnownSlot, KnownVault } from '../../workers/messages.ts';
import { checkPrivateFolder, type Home, isThere } from './home.ts';
import { readTrustedFile, SECRET, UnsafePlaceError } from './trusted-places.ts';

/**
 * How the launcher hands the closed daemon what is known: there the request thread may not read the list. Set by the
 * launcher alone; the command line ignores one that it finds.
 */
export const KNOWN_VARIABLE = 'MAV_KNOWN';

/** Far more than any number of vaults takes. */
const MAX_SIZE = 1_048_576;

/** Returns null if no vault is known at this path. Throws UnsafePlaceError if the list cannot be trusted or read. */
export function findKnownVault(home: Home): KnownVault | null {
  const { directory, knownVaultsPath } = home;
  checkPlace(home);
  if (!isThere(directory)) return null;
  const path = realpathSync(directory);
  const found = readList(knownVaultsPath).filter((entry) => entry.path === path);
  if (found.length > 1) throw explainDamaged(knownVaultsPath);
  const [entry] = found;
  return entry === undefined ? null : (parseKnownVault(entry) ?? throwError(explainDamaged(knownVaultsPath)));
}

function throwError(error: Error): never {
  throw error;
}

/** Throws UnsafePlaceError if another user could write the list. */
function checkPlace({ directory, knownVaultsPath }: Home): void {
  if (!isAbsolute(knownVaultsPath)) {
    throw new UnsafePlaceError(
      'HOME is not set, so nothing says which vaults are yours; set HOME, or XDG_CONFIG_HOME',
    );
  }
  const folder = dirname(knownVaultsPath);
  if (!isThere(folder)) return;
  checkPrivateFolder(folder);
  if (isThere(directory) && isWithin(realpathSync(folder), realpathSync(directory))) {
    throw new UnsafePlaceError(
      `${knownVaultsPath}, the list of your vaults, must not lie in a vault's folder: move the vault, and set MAV_HOME to its new place`,
    );
  }
}

/** Both are real paths. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith('../');
}

function readList(path: string): { readonly path?: unknown }[] {
  const bytes = readTrustedFile(path, SECRET, MAX_SIZE);
  if (bytes === null) return [];
  try {
    const { vaults } = JSON.parse(bytes.toString());
    if (Array.isArray(vaults) && vaults.every((entry) => typeof entry?.path === 'string')) return vaults;
  } catch {
    // Said below.
  }
  throw explainDamaged(path);
}

function explainDamaged(path: string): UnsafePlaceError {
  return new UnsafePlaceError(
    `${path}, the list of your vaults, is damaged; restore it, or move it away and run, for each vault of yours: mav adopt`,
  );
}

/** Returns null if the value is not a known vault. */
export function parseKnownVault(value: unknown): KnownVault | null {
  const { vault_id: id, slots, schema } = (value ?? {}) as Partial<Record<keyof KnownVault, unknown>>;
  if (typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id) || !Number.isSafeInteger(schema)) return null;
  if (!Array.isArray(slots)) return null;
  const parsed = slots.map(parseSlot);
  return parsed.includes(null)
    ? null
    : { vault_id: id, slots: parsed as KnownSlot[], schema: schema as number };
}

function parseSlot(value: unknown): KnownSlot | null {
  const {
    id,
    kind,
    location,
    pending,
    root_key_id: rootKeyId,
  } = (value ?? {}) as Partial<Record<keyof KnownSlot, unknown>>;
  const isSlot = [id, kind, location ?? ''].every((text) => typeof text === 'string');
  const ofKey = typeof rootKeyId === 'string' ? { root_key_id: rootKeyId } : {};
  const change = pending === true ? { pending, ...ofKey } : {};
  return isSlot && location !== undefined ? ({ id, kind, location, ...change } as KnownSlot) : null;
}

/** Takes what the launcher handed on out of `env`. Returns null if no vault is known. */
export function takeKnownVault(env: NodeJS.ProcessEnv): KnownVault | null {
  const handed = env[KNOWN_VARIABLE];
  delete env[KNOWN_VARIABLE];
  return handed === undefined ? null : parseKnownVault(JSON.parse(handed));
}
