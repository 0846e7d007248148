/**
 * Settings that are not worth a flag each time: `config.json` in the vault's folder. Flags win over the environment,
 * the environment over this file, this file over the defaults.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Home, locateFolder, locateHome } from './home.ts';

const OUTPUTS = ['table', 'json', 'plain', 'names'] as const;

/** What `config.json` may say. */
export interface Config {
  /** Where the daemon's socket is; relative to the vault's folder. */
  readonly socket?: string;
  /** The environment that commands work in. */
  readonly env?: string;
  /** The form of lists. */
  readonly output?: (typeof OUTPUTS)[number];
  /** How long a copied value stays in the clipboard, such as `45s`; `never`: until something else is copied. */
  readonly clear?: string;
}

/** The file says something that cannot be followed; `message` names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const RULES: { readonly [Key in keyof Config]-?: (value: unknown) => string | null } = {
  socket: (value) => (isText(value) && value !== '' ? null : 'must be a path'),
  env: (value) => (isText(value) ? null : 'must be the name of an environment'),
  output: (value) =>
    OUTPUTS.some((output) => output === value) ? null : 'must be "table", "json", "plain" or "names"',
  clear: (value) =>
    isText(value) && /^([0-9]+(ms|s|m|h)?|never)$/.test(value)
      ? null
      : 'must be a time such as "45s", or "never"',
};

/** Of the Go program, whose file lies at the same place: they mean nothing here. */
const FOREIGN_KEYS: ReadonlySet<string> = new Set(['touchid', 'vim_mode', 'fuzzy_search']);

export interface Settings {
  readonly home: Home;
  readonly config: Config;
}

export interface Overrides {
  readonly home?: string | undefined;
  readonly socket?: string | undefined;
  /** Goes by the defaults where config.json cannot be followed. */
  readonly toleratesConfig?: boolean | undefined;
}

/** Where the vault is, and what its folder's config.json says. Throws ConfigError. */
export function readSettings(env: NodeJS.ProcessEnv, overrides: Overrides): Settings {
  const { home, socket, toleratesConfig } = overrides;
  const located = home === undefined ? env : { ...env, MAV_HOME: home };
  const folder = locateFolder(located);
  const read = toleratesConfig ? readConfigOrNothing : readConfig;
  const config = read(join(folder, 'config.json'));
  const configured = config.socket === undefined ? undefined : resolve(folder, config.socket);
  return { home: locateHome(located, socket ?? (env.MAV_SOCKET || configured) ?? null), config };
}

function readConfigOrNothing(path: string): Config {
  try {
    return readConfig(path);
  } catch {
    return {};
  }
}

/** Empty where there is no such file. Throws ConfigError. */
export function readConfig(path: string): Config {
  const text = readIfThere(path);
  if (text === null) return {};
  const config = parseObject(text, path);
  for (const [key, value] of Object.entries(config)) {
    if (FOREIGN_KEYS.has(key)) continue;
    if (!Object.hasOwn(RULES, key))
      throw new ConfigError(
        `${path}: unknown key ${JSON.stringify(key)}; known are ${Object.keys(RULES).join(', ')}`,
      );
    const problem = RULES[key as keyof Config](value);
    if (problem !== null) throw new ConfigError(`${path}: "${key}" ${problem}`);
  }
  return config;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new ConfigError(`${path} cannot be read (${code})`);
  }
}

function parseObject(text: string, path: string): Config {
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config;
  } catch {
    // Said below; Node's own message would quote the file.
  }
  throw new ConfigError(`${path} is not a JSON object`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
