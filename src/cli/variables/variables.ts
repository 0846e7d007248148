/**
 * Secrets as environment variables: which name each gets, and which of two comes out on top. A variable's name follows
 * from the secret's name, so a token that may store secrets could choose it: names that decide how programs run are not used.
 */

import { describeSecret } from '../formats/describe-secret.ts';
import type { Reference } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import type { Expiring } from '../vault/expired.ts';
import type { Stored } from '../vault/fetch-secrets.ts';
import { isReservedName } from './reserved-names.ts';

export interface Variable {
  readonly name: string;
  readonly value: string;
  /** Where the value is stored; null if the env file has the value itself. */
  readonly source: Reference | null;
}

/** Which secrets become variables, and what becomes of those that cannot. */
export interface Selection {
  readonly prefix: string;
  /** Whether each was asked for by its name: what cannot be a variable is an error then, else it is left out. */
  readonly isNamed: boolean;
  /** The most bytes that `NAME=value` may have. */
  readonly maxSize: number;
}

export interface LeftOut {
  readonly source: Reference;
  readonly why: string;
}

export interface Laid {
  /** In the order of their names. */
  readonly variables: readonly Variable[];
  readonly leftOut: readonly LeftOut[];
  /** What the owner neither wrote nor accepted, and did not ask for by name. */
  readonly unaccepted: readonly Unaccepted[];
  /** Those of the variables' secrets that expire. */
  readonly expiring: readonly Expiring[];
}

export interface Unaccepted {
  readonly source: Reference;
  /** `session`, or a token's id. */
  readonly writer: string;
}

/**
 * The variables of the layers, each later one on top of those before it: the same secret or field replaces what is
 * below, also where it cannot be a variable itself. Otherwise a program for prod would get another environment's value.
 * Throws CliError for two that would share a name.
 */
export function layVariables(layers: readonly (readonly Stored[])[], selection: Selection): Laid {
  const onTop = new Map<string, Stored>();
  for (const stored of layers.flat())
    onTop.set(JSON.stringify([stored.source.name, stored.source.field]), stored);
  const byName = new Map<string, Variable>();
  const leftOut: LeftOut[] = [];
  const unaccepted: Unaccepted[] = [];
  const expiring: Expiring[] = [];
  for (const { source, value, unacceptedFrom, expiresAt } of onTop.values()) {
    if (unacceptedFrom !== null && !selection.isNamed) {
      unaccepted.push({ source, writer: unacceptedFrom });
      continue;
    }
    const made = makeVariable(source, value, selection);
    if ('why' in made) leftOut.push(made);
    else {
      byName.set(made.name, checkUnique(made, byName.get(made.name)));
      if (expiresAt !== null) expiring.push({ source, expiresAt });
    }
  }
  const variables = [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  return { variables, leftOut, unaccepted, expiring };
}

function checkUnique(made: Variable & { readonly source: Reference }, other: Variable | undefined): Variable {
  if (other?.source)
    throw usageError(
      `${describeSource(other.source)} and ${describeSource(made.source)} would both become ${made.name}; leave one out with --except or --only, or name them in an --env-file`,
    );
  return made;
}

function makeVariable(
  source: Reference,
  value: string | Uint8Array,
  { prefix, isNamed, maxSize }: Selection,
): (Variable & { readonly source: Reference }) | LeftOut {
  const named = nameVariable(source, prefix);
  if ('why' in named) {
    if (isNamed)
      throw usageError(`${describeSource(source)} cannot be a variable: it ${named.why}; ${named.remedy}`);
    return { source, why: named.why };
  }
  const text = readText(value);
  const why = typeof text === 'string' ? (isTooLong(named.name, text, maxSize) ? TOO_LONG : null) : text.why;
  if (why === null) return { name: named.name, value: text as string, source };
  if (isNamed) throw unfitError(describeSource(source), why);
  return { source, why };
}

/** Why a secret's name cannot be a variable's, and what to do about it. */
interface Unnamed {
  readonly why: string;
  readonly remedy: string;
}

/** `db-password` becomes DB_PASSWORD, the field `host` of `db` DB_HOST. */
export function nameVariable(source: Reference, prefix: string): { readonly name: string } | Unnamed {
  const words = [source.name, ...(source.field === undefined ? [] : [source.field])].map(toWord);
  if (!words.every((word) => /[A-Z0-9]/.test(word)))
    return { why: 'has no ASCII letter or digit to name it by', remedy: 'name it in an --env-file' };
  const joined = `${prefix}${words.join('_')}`;
  const name = /^[0-9]/.test(joined) ? `_${joined}` : joined;
  if (!isReservedName(name)) return { name };
  return {
    why: `would become ${name}, which decides how programs run`,
    remedy: 'give a --prefix, or name it in an --env-file',
  };
}

/** Keeps ASCII only: shells take no other letters in a name. */
function toWord(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]/gu, '_').toUpperCase();
}

/** As an environment has it: `NAME=value`, in bytes. The zero byte at its end is the system's to count. */
export function isTooLong(name: string, value: string, maxSize: number): boolean {
  // No character has more than three bytes for each of its UTF-16 units.
  const least = name.length + 1 + value.length;
  if (least > maxSize) return true;
  return least * 3 > maxSize && Buffer.byteLength(`${name}=${value}`) > maxSize;
}

/** The text of a value, or why no variable can hold it: a variable ends at a NUL, and Node writes it as UTF-8. */
export function readText(value: string | Uint8Array): string | { readonly why: string } {
  const text = typeof value === 'string' ? value : decodeUtf8(value);
  if (text === null) return { why: 'is not UTF-8 text' };
  return text.includes('\0') ? { why: 'has a NUL byte' } : text;
}

export const TOO_LONG = 'is longer than this system lets a variable be';

/** `what` was asked for by name. */
export function unfitError(what: string, why: string): CliError {
  return new CliError(EXIT.failed, `${what} cannot be a variable: it ${why}`);
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

export function describeSource({ name, environment, field }: Reference): string {
  return describeSecret(name, environment, field);
}
