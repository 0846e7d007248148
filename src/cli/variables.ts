/**
 * Secrets as environment variables: which name each gets, and which of two comes out on top. A variable's name follows
 * from the secret's alone, so whoever may store secrets could choose it: names that decide how programs run are refused.
 */
import { describeSecret } from './describe.ts';
import { CliError, EXIT, usageError } from './failure.ts';
import type { Reference } from './reference.ts';

export interface Variable {
  readonly name: string;
  readonly value: string;
  /** Where the value is stored; null for what an env file says itself. */
  readonly source: Reference | null;
}

/** What is stored, with the place it came from. */
export interface Stored {
  readonly source: Reference;
  /** Bytes where they may be anything. */
  readonly value: string | Uint8Array;
}

/** What a variable's name may be: what every shell takes. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Variables by which a shell, the loader or an interpreter runs other code or finds it elsewhere, and those that a shell
 * keeps for itself. The list cannot be complete; it holds the known ones.
 */
const RESERVED = new Set(
  `PATH HOME SHELL IFS ENV BASH_ENV BASHOPTS SHELLOPTS PS0 PS1 PS2 PS4 PROMPT_COMMAND CDPATH FPATH GLOBIGNORE ZDOTDIR
  PWD OLDPWD SHLVL UID EUID PPID GROUPS RANDOM SRANDOM SECONDS LINENO DIRSTACK FUNCNAME OPTIND OPTARG HISTFILE HISTCMD
  XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_DIRS GCONV_PATH LOCPATH NLSPATH EDITOR VISUAL PAGER BROWSER LESSOPEN
  NODE_OPTIONS NODE_PATH PYTHONPATH PYTHONHOME PYTHONSTARTUP PERL5LIB PERL5OPT PERL5DB RUBYLIB RUBYOPT LUA_PATH
  LUA_CPATH JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS CLASSPATH MAV_HOME MAV_SOCKET`.split(/\s+/),
);
const RESERVED_FAMILIES =
  /^(LD_|DYLD_|BASH_|GIT_(SSH|ASKPASS|EDITOR|SEQUENCE_EDITOR|PAGER|EXEC_PATH|CONFIG|EXTERNAL_DIFF|PROXY_COMMAND))/;

/**
 * The variables of the layers, each later one on top of those before it: the same secret or field replaces what is
 * below. In the order of their names. Throws CliError for names that cannot be, or that two share.
 */
export function layVariables(layers: readonly (readonly Stored[])[], prefix: string): Variable[] {
  const byName = new Map<string, Variable>();
  for (const { source, value } of layers.flat()) {
    const name = nameVariable(source, prefix);
    const below = byName.get(name)?.source;
    if (below && !(below.name === source.name && below.field === source.field))
      throw usageError(
        `${describe(below)} and ${describe(source)} would both become ${name}; leave one out with --only, or name them in an --env-file`,
      );
    byName.set(name, { name, value: readText(source, value), source });
  }
  return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** `db-password` becomes DB_PASSWORD, the field `host` of `db` DB_HOST. Throws CliError. */
export function nameVariable(source: Reference, prefix: string): string {
  const words = [source.name, ...(source.field === undefined ? [] : [source.field])].map(toWord);
  if (!words.every((word) => /[A-Z0-9]/.test(word)))
    throw usageError(
      `no variable can be named after ${describe(source)}: it has no ASCII letter or digit; leave it out with --only, or name it in an --env-file`,
    );
  const joined = `${prefix}${words.join('_')}`;
  const name = /^[0-9]/.test(joined) ? `_${joined}` : joined;
  if (isReserved(name))
    throw usageError(
      `${describe(source)} would become ${name}, which decides how programs run; leave it out with --only, give a --prefix, or name it in an --env-file`,
    );
  return name;
}

/** Only ASCII, because shells take no other letters. */
function toWord(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]/gu, '_').toUpperCase();
}

function isReserved(name: string): boolean {
  return RESERVED.has(name) || RESERVED_FAMILIES.test(name) || /^_+$/.test(name);
}

/** Throws CliError for what no variable can hold: its text ends at a NUL, and Node writes it as UTF-8. */
export function readText(source: Reference, value: string | Uint8Array): string {
  const text = typeof value === 'string' ? value : decode(value);
  const problem = text === null ? 'is not UTF-8' : text.includes('\0') ? 'has a NUL byte' : null;
  if (text !== null && problem === null) return text;
  throw new CliError(
    EXIT.failed,
    `${describe(source)} ${problem} and cannot be an environment variable; leave it out (--only names those that you want)`,
  );
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

export function describe({ name, environment, field }: Reference): string {
  return describeSecret(name, environment, field);
}
