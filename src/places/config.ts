/**
 * Settings that are not worth a flag each time: `config.json` in the vault's folder. Flags win over the environment,
 * the environment over this file, this file over the defaults.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeSystemError } from '../system/system-error.ts';
import { readDurationMs } from '../text/durations.ts';
import { JsonReadError, JsonReader } from '../text/json-reader.ts';
import { type Home, locateFolder, locateHome } from './home.ts';
import { readTrustedFile, UNSECRET, UnsafePlaceError, UntrustedError } from './trusted-places.ts';
import { chooseVault } from './vault-names.ts';

const OUTPUTS = ['table', 'json', 'plain', 'names'] as const;

const AUDITS = ['required', 'best-effort'] as const;

const SEALING_EVENTS = ['suspend', 'lock'] as const;

export function isSealingEvent(word: unknown): word is (typeof SEALING_EVENTS)[number] {
  return SEALING_EVENTS.some((event) => event === word);
}

/** What `config.json` may say. */
export interface Config {
  /** Where the daemon's socket is; relative to the vault's folder. */
  readonly socket?: string;
  /** The environment that commands work in. */
  readonly env?: string;
  /** Environments that the file of a project may name only after `mav allow`. */
  readonly protected?: readonly string[];
  /** The form of lists. */
  readonly output?: (typeof OUTPUTS)[number];
  /** How long a copied value stays in the clipboard, such as `45s`; `never`: until something else is copied. */
  readonly clear?: string;
  /** How many fields one entry may have, 1,000 at most. */
  readonly max_fields?: number;
  /** How many bytes one entry may have, its value, fields and metadata together: 8 MiB at most. */
  readonly max_entry_bytes?: number;
  /** How many versions of a secret are kept, with the current one; 0: no old ones. */
  readonly keep_versions?: number;
  /** For how many days a deleted secret can be restored; 0: deleting is for good. */
  readonly keep_deleted_days?: number;
  /** Whether a request fails that cannot be written into the audit log: "required", or "best-effort". */
  readonly audit?: (typeof AUDITS)[number];
  /** For how many days the audit log is kept; 0: for ever. */
  readonly keep_audit_days?: number;
  /** After how long without a request for a secret the daemon seals the vault, such as `15m`; `never`, which is the default. */
  readonly idle_seal?: string;
  /** How long after it was unsealed the daemon seals the vault, such as `8h`; `never`, which is the default. */
  readonly max_unsealed?: string;
  /** What seals the vault at once. */
  readonly seal_on?: readonly (typeof SEALING_EVENTS)[number][];
  /** Whether a request unseals a vault that the daemon has sealed by itself. */
  readonly auto_unseal?: boolean;
}

/** The file says something that cannot be followed; `message` names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'bad_config';
}

/** The program's own bounds: what a vault holds must be readable wherever it is taken. */
const MAX_FIELDS = 1_000;
const MAX_ENTRY_BYTES = 8 * 1_048_576;

const MAX_VERSIONS = 1_000;
const MAX_DELETED_DAYS = 3_650;
const MAX_AUDIT_DAYS = 36_500;

function checkWhole(value: unknown, most: number, least = 1): string | null {
  const isWhole = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return isWhole ? null : `must be a whole number from ${least} to ${most}`;
}

/** What is said of a time that readSealingTime does not accept. */
export const SEALING_TIME = 'must be a time such as "15m" or "8h", a year at most, or "never"';
const MAX_SEALING_MS = 365 * 86_400_000;

/** Returns milliseconds, null for `never`, or undefined for what is no time after which a vault can seal itself. */
export function readSealingTime(text: string): number | null | undefined {
  if (text === 'never') return null;
  const ms = readDurationMs(text);
  return ms === null || ms === 0 || ms > MAX_SEALING_MS ? undefined : ms;
}

function checkSealingTime(value: unknown): string | null {
  return isText(value) && readSealingTime(value) !== undefined ? null : SEALING_TIME;
}

const RULES: { readonly [Key in keyof Config]-?: (value: unknown) => string | null } = {
  socket: (value) => (isText(value) && value !== '' ? null : 'must be a path'),
  env: (value) => (isText(value) ? null : 'must be the name of an environment'),
  protected: (value) =>
    Array.isArray(value) && value.every(isText) ? null : 'must be a list of environments, such as ["prod"]',
  output: (value) =>
    OUTPUTS.some((output) => output === value) ? null : 'must be "table", "json", "plain" or "names"',
  clear: (value) =>
    isText(value) && /^([0-9]+(ms|s|m|h)?|never)$/.test(value)
      ? null
      : 'must be a time such as "45s", or "never"',
  max_fields: (value) => checkWhole(value, MAX_FIELDS),
  max_entry_bytes: (value) => checkWhole(value, MAX_ENTRY_BYTES),
  keep_versions: (value) => checkWhole(value, MAX_VERSIONS, 0),
  keep_deleted_days: (value) => checkWhole(value, MAX_DELETED_DAYS, 0),
  audit: (value) => (AUDITS.some((audit) => audit === value) ? null : 'must be "required" or "best-effort"'),
  keep_audit_days: (value) => checkWhole(value, MAX_AUDIT_DAYS, 0),
  idle_seal: checkSealingTime,
  max_unsealed: checkSealingTime,
  seal_on: (value) => {
    const isKnown = Array.isArray(value) && value.every((event) => isSealingEvent(event));
    return isKnown ? null : 'must be a list, such as ["suspend", "lock"]';
  },
  auto_unseal: (value) => (typeof value === 'boolean' ? null : 'must be true or false'),
};

/** Keys of the Go program, whose file lies at the same place. They are ignored. */
const FOREIGN_KEYS: ReadonlySet<string> = new Set(['touchid', 'vim_mode', 'fuzzy_search']);

/** How many characters of a key a message shows. */
const MAX_SHOWN = 64;
/** Far more than there is to say. */
const MAX_SIZE = 1_048_576;

export interface Settings {
  readonly home: Home;
  readonly config: Config;
}

/** Settings for commands that need no vault: reads nothing, and its paths are not used. */
export const NO_SETTINGS: Settings = { home: locateHome({ HOME: '/' }, null), config: {} };

export interface Overrides {
  readonly home?: string | undefined;
  readonly vault?: string | undefined;
  readonly socket?: string | undefined;
  /** Goes by the defaults where config.json cannot be followed. */
  readonly toleratesConfig?: boolean | undefined;
  /** False: config.json is used even if another user wrote it. */
  readonly checksOwner?: boolean | undefined;
}

/** Where the vault is, and what its folder's config.json says. Throws ConfigError, UntrustedError or VaultNameError. */
export function readSettings(env: NodeJS.ProcessEnv, overrides: Overrides): Settings {
  const { socket, toleratesConfig, checksOwner } = overrides;
  const located = chooseVault(env, overrides);
  const folder = locateFolder(located);
  const read = toleratesConfig ? readConfigOrNothing : readConfig;
  const config = read(join(folder, 'config.json'), checksOwner);
  const configured = config.socket === undefined ? undefined : resolve(folder, config.socket);
  return { home: locateHome(located, socket ?? (located.MAV_SOCKET || configured) ?? null), config };
}

function readConfigOrNothing(path: string, checksOwner?: boolean): Config {
  try {
    return readConfig(path, checksOwner);
  } catch {
    return {};
  }
}

/** Returns an empty object if there is no such file. Throws ConfigError, or UntrustedError where another user may have written it. */
export function readConfig(path: string, checksOwner = true): Config {
  const text = readIfThere(path, checksOwner);
  if (text === null) return {};
  try {
    return parseConfig(path, text);
  } catch (error) {
    if (error instanceof JsonReadError)
      throw new ConfigError(`${path} is not a JSON object: ${error.message}`);
    throw error;
  }
}

/** Throws JsonReadError or, for what is well-formed, ConfigError: where and what; it names keys, and quotes no value. */
function parseConfig(path: string, text: string): Config {
  const reader = new JsonReader(text);
  const config: Record<string, unknown> = {};
  if (reader.peek() !== 'object') throw reader.fail('{ is expected, as in {"env": "prod"}');
  reader.members((key, start) => {
    const value: unknown = JSON.parse(reader.raw());
    const problem = findProblem(key, value);
    if (problem !== null) throw new ConfigError(`${path}, ${reader.fail(problem, start).message}`);
    config[key] = value;
  });
  reader.end();
  return config;
}

/** Returns null if the value is right. */
function findProblem(key: string, value: unknown): string | null {
  if (FOREIGN_KEYS.has(key)) return null;
  const shown = JSON.stringify(key.length > MAX_SHOWN ? `${key.slice(0, MAX_SHOWN).toWellFormed()}…` : key);
  if (!Object.hasOwn(RULES, key)) return `unknown key ${shown}; known are ${Object.keys(RULES).join(', ')}`;
  const problem = RULES[key as keyof Config](value);
  return problem === null ? null : `"${key}" ${problem}`;
}

/** Returns null if there is no such file. */
function readIfThere(path: string, checksOwner: boolean): string | null {
  try {
    const bytes = checksOwner ? readTrustedFile(path, UNSECRET, MAX_SIZE) : readFileSync(path);
    return bytes === null ? null : decodeConfig(path, bytes);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof UntrustedError) throw error;
    if (error instanceof UnsafePlaceError) throw new ConfigError(error.message);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new ConfigError(`${path} cannot be read: ${describeSystemError(error)}`);
  }
}

/** Without the byte order mark that some editors put before UTF-8. */
function decodeConfig(path: string, bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new ConfigError(`${path} is not UTF-8 text; store it as UTF-8`);
  const text = bytes.toString();
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
