/**
 * Errors for a secret or a field that does not exist: where it was looked for and why there, and where it is instead. Loaded
 * only after the vault has said so; asking the vault for all names may take long.
 */
import type { Client } from '../../client/client.ts';
import type { Place } from '../../client/types.ts';
import { formatTime } from '../../text/format-time.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { quoteForPosix, quoteWord } from '../formats/shell-quote.ts';
import { formatReference } from '../input/reference.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { findClose } from '../usage/close-word.ts';
import {
  describeEnvironment,
  escapeForm,
  isTwin,
  listEnvironments,
  listPlaces,
  listTexts,
  nameEnvironment,
  quoteName,
  showName,
} from './place-names.ts';
import { writeCommand } from './write-command.ts';

export interface Wanted {
  readonly name: string;
  /** Empty or undefined for the default environment. */
  readonly environment?: string | undefined;
  readonly field?: string | undefined;
  /** Whether it was looked for in the default environment too. */
  readonly alsoInDefault?: boolean;
  /** Where the reference `mav://…` to it was found: file and line. */
  readonly referredAt?: string;
}

/** How many missing secrets get an explanation of their own. */
const MAX_EXPLAINED = 5;

/** Returns an error that names all that is missing, in one line. */
export async function explainMissing(
  input: Input,
  client: Client,
  missing: readonly Wanted[],
): Promise<CliError> {
  const places = await listPlaces(client);
  const sentences: string[] = [];
  for (const wanted of missing.slice(0, MAX_EXPLAINED))
    sentences.push(await explainOne(input, client, wanted, places));
  const more = missing.length - sentences.length;
  if (more > 0) sentences.push(`${more} more are missing`);
  return new CliError(EXIT.notFound, introduceMissing(missing) + joinSentences(sentences));
}

/** Names several missing secrets together, and references always. What each lacks comes behind that. */
function introduceMissing(missing: readonly Wanted[]): string {
  const referred = missing.filter(({ referredAt }) => referredAt !== undefined);
  if (referred.length > 0) {
    const named = referred.map((wanted) => `${formatReference(toReference(wanted))} (${wanted.referredAt})`);
    return `there is nothing stored for ${named.join(', ')}: `;
  }
  if (missing.length === 1) return '';
  const named = missing.map(({ name, environment }) => describeSecret(name, environment));
  return `there is no such secret: ${named.join(', ')}: `;
}

function joinSentences([first = '', ...others]: readonly string[]): string {
  return [first, ...others.map((text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`)].join('. ');
}

async function explainOne(
  input: Input,
  client: Client,
  wanted: Wanted,
  places: readonly Place[] | null,
): Promise<string> {
  const fields = places === null || isIn(places, wanted) ? await listFields(client, wanted) : null;
  if (fields !== null) return explainInside(input, wanted, fields);
  const deletion = await describeDeletion(input, client, wanted);
  const instead = deletion ?? (places === null ? '' : describeInstead(input, wanted, places));
  return describeAbsence(input, wanted) + instead;
}

/** Returns null if no deleted secret of this name is kept, or the token may not know. */
async function describeDeletion(input: Input, client: Client, wanted: Wanted): Promise<string | null> {
  const { name, environment } = wanted;
  const [newest] = await client.listVersions(name, { environment }).catch(() => []);
  if (newest?.change !== 'delete') return null;
  const command = writeCommand(input, 'undelete', [wanted]);
  return `; it was deleted ${formatTime(newest.created_at)}, and ${command} brings it back`;
}

function isIn(places: readonly Place[], { name, environment = '' }: Wanted): boolean {
  return places.some((place) => place.name === name && place.environment === environment);
}

/** Returns the names of the secret's fields; null if it does not exist, or its fields may not be read. */
async function listFields(client: Client, { name, environment }: Wanted): Promise<string[] | null> {
  try {
    return await client.listFieldNames(name, { environment });
  } catch {
    return null;
  }
}

/** Says what a secret has instead of the value or field that was wanted. */
function explainInside(input: Input, wanted: Wanted, fields: readonly string[]): string {
  const { name, environment = '', field } = wanted;
  const what = `${quoteName(name)} in ${describeEnvironment(environment)}`;
  if (field !== undefined) {
    const problem = `${what} has no field ${quoteName(field)}`;
    if (fields.length === 0) return `${problem}, nor any other`;
    const twin = fields.find((other) => isTwin(other, field));
    if (twin !== undefined) return `${problem}${describeTwin(input, { ...wanted, field: twin }, twin)}`;
    const close = findClose(field, fields);
    const meant = close === null ? '' : `; did you mean ${quoteName(close)}?`;
    return `${problem}; it has ${listTexts(fields.map(showName))}${meant}`;
  }
  const [first = ''] = fields;
  const way = describeCommand(input, { ...wanted, field: first });
  return `${what} has no value of its own, only fields: ${listTexts(fields.map(showName))}; one of them: ${way}`;
}

/** `no secret "db" in environment "prdo" (--env)`. */
function describeAbsence(input: Input, wanted: Wanted): string {
  const { name, environment = '', alsoInDefault } = wanted;
  const isOfInput = wanted.referredAt === undefined && environment === (input.environment ?? '');
  const source = isOfInput ? findSource(input) : null;
  const why = source === null ? '' : ` (${source})`;
  const also = alsoInDefault && environment !== '' ? ', nor in the default environment' : '';
  return `no secret ${quoteName(name)} in ${describeEnvironment(environment)}${why}${also}`;
}

/** Returns what chose the environment: an option, a variable or config.json; null if nothing did. */
export function findSource({ flag, context, environment, referred }: Input): string | null {
  if (referred !== null) return null;
  if (flag('env')) return '--env';
  if (context.env.MAV_ENV) return 'MAV_ENV';
  return environment === undefined ? null : '"env" in config.json';
}

/** Says where the secret is instead, each clause behind a semicolon. */
function describeInstead(input: Input, wanted: Wanted, places: readonly Place[]): string {
  const { name, environment = '' } = wanted;
  if (places.length === 0) return '; the vault has no secrets yet';
  const exact = places.filter((place) => place.name === name).map((place) => place.environment);
  const twin = findNearest(
    places.filter((place) => isTwin(place.name, name)),
    environment,
  );
  // A twin in this very environment was meant, whatever other environments have the exact name.
  if (twin !== null && (exact.length === 0 || twin.environment === environment))
    return describeTwin(input, { ...wanted, ...twin }, twin.name);
  if (exact.length > 0) return `; it is in ${listEnvironments(exact, environment)}`;
  const clauses = [...suggestName(name, environment, places), ...describeEmpty(environment, places)];
  return (clauses.length > 0 ? clauses : ['mav list shows what there is'])
    .map((clause) => `; ${clause}`)
    .join('');
}

function suggestName(name: string, environment: string, places: readonly Place[]): string[] {
  const nearest = findNearest(findCloseName(name, places) ?? [], environment);
  return nearest === null ? [] : [`did you mean ${describePlace(nearest, environment)}?`];
}

/** Returns the place in this environment, else any. */
function findNearest(places: readonly Place[], environment: string): Place | null {
  return places.find((place) => place.environment === environment) ?? places[0] ?? null;
}

/** Returns the places of the name that `name` was most likely meant to be; null if none is close. */
function findCloseName(name: string, places: readonly Place[]): Place[] | null {
  const fold = (text: string) => text.trim().toLowerCase().replaceAll(/[_\s]/g, '-');
  const same = places.filter((place) => fold(place.name) === fold(name));
  if (same.length > 0) return same;
  const close = findClose(fold(name), [...new Set(places.map((place) => fold(place.name)))]);
  return close === null ? null : places.filter((place) => fold(place.name) === close);
}

/** Says that nothing is in the environment, which then was most likely mistyped; empty if something is. */
function describeEmpty(environment: string, places: readonly Place[]): string[] {
  const known = [...new Set(places.map((place) => place.environment))].sort();
  if (environment === '' || known.includes(environment)) return [];
  return ['that environment holds nothing', `there are ${listEnvironments(known, environment)}`];
}

function describeTwin(input: Input, there: Wanted, text: string): string {
  return `; ${escapeForm(text)} is there, which looks the same and differs in its Unicode form; reach it with: ${describeCommand(input, there)}`;
}

/** Returns the command that reaches it, or the reference to write instead. */
function describeCommand({ command }: Input, wanted: Wanted): string {
  if (wanted.referredAt !== undefined) return formatReference(toReference(wanted));
  const { name, environment = '', field } = wanted;
  const words = ['mav', command === 'edit' || command === 'copy' ? command : 'get'];
  const place = environment === '' ? [] : ['--env', quoteForShell(environment)];
  const part = field === undefined ? [] : ['--field', quoteForShell(field)];
  return [...words, quoteForShell(name), ...place, ...part].join(' ');
}

function toReference({ name, environment = '', field }: Wanted) {
  return { environment, name, ...(field === undefined ? {} : { field }) };
}

function describePlace({ name, environment }: Place, here: string): string {
  return environment === here
    ? quoteName(name)
    : `${quoteName(name)} in ${nameEnvironment(environment, here)}`;
}

/** Quotes a text for a POSIX shell, byte for byte, so that a terminal cannot change it when it is copied. */
function quoteForShell(text: string): string {
  if (/^[\x20-\x7e]+$/.test(text)) return text.startsWith('-') ? quoteForPosix(text) : quoteWord(text);
  const octal = [...Buffer.from(text)].map((byte) =>
    byte > 0x20 && byte < 0x7f && !`'"\\%$\``.includes(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`,
  );
  return `"$(printf '${octal.join('')}')"`;
}
