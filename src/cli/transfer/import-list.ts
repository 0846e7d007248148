/**
 * A JSON array of entries, as other tools export them: `[{"key": …, "value": …}]` of Infisical and others, and the Go
 * program's `[{"name": …, "environment": …, "value": …, "metadata": {…}}]`.
 */

import type { JsonReadError, JsonReader } from '../../text/json-reader.ts';
import type { Input } from '../run/command.ts';
import { checkEmpty, chooseEnvironment, FOUND_BY_VAULT, type SourceEntry } from './source-entry.ts';

/** The API's name of a member, by its name in other programs. */
const MEMBERS: ReadonlyMap<string, string> = new Map([
  ['name', 'name'],
  ['key', 'name'],
  ['secretKey', 'name'],
  ['value', 'value'],
  ['secretValue', 'value'],
  ['environment', 'environment'],
  ['encoding', 'encoding'],
  ['metadata', 'metadata'],
  // The Go program's first versions.
  ['labels', 'metadata'],
  ['fields', 'fields'],
  ['expires_at', 'expires_at'],
  ['rotate_by', 'rotate_by'],
  ['confirm', 'confirm'],
]);
/** Members that the vault finds for itself. */
const LEFT_OUT: ReadonlySet<string> = new Set(['id', '_id', ...FOUND_BY_VAULT]);

export const KNOWN_SHAPES =
  'an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv';

/** Returns an error at the reader's place: the JSON has none of the known shapes. */
export function unknownShape(reader: JsonReader, at = reader.position): JsonReadError {
  return reader.fail(`JSON of a shape that is not known; ${KNOWN_SHAPES}`, at);
}

/** Throws JsonReadError where more follows, as in a file of a JSON value a line. */
export function endReading(reader: JsonReader): void {
  if (!reader.isAtEnd) throw reader.fail(`text follows the JSON value; ${KNOWN_SHAPES}`);
}

/** Throws JsonReadError, CliError; says which members are left out. */
export function readList(input: Input, path: string, reader: JsonReader): SourceEntry[] {
  const entries: SourceEntry[] = [];
  const ignored = new Set<string>();
  reader.items(() => {
    const entry = readItem(input, path, reader, ignored);
    if (entry !== null) entries.push(entry);
  });
  endReading(reader);
  if (ignored.size > 0)
    input.context.say(`Left out, because a secret has no such thing: ${[...ignored].join(', ')}.`);
  return entries;
}

/** Returns null for an entry with an empty value, which --skip-empty leaves out. */
function readItem(input: Input, path: string, reader: JsonReader, ignored: Set<string>): SourceEntry | null {
  const at = reader.position;
  if (reader.peek() !== 'object') throw unknownShape(reader);
  const members = readMembers(reader, ignored);
  const { name, value, environment = null, ...rest } = Object.fromEntries(members);
  if (name === undefined || (value === undefined && rest.fields === undefined))
    throw unknownShape(reader, at);
  const line = reader.lineOf(at);
  if (value === '""') {
    checkEmpty(input, `${path}, line ${line}: ${name}`);
    return null;
  }
  const all = { name, value, ...rest, environment: chooseEnvironment(input, environment) };
  const written = Object.entries(all).filter(([, json]) => json !== undefined);
  return { json: `{${written.map(([member, json]) => `"${member}":${json}`).join(',')}}`, line };
}

/** Returns the members' JSON as it was written, by the API's names. A null is left out. Throws JsonReadError. */
function readMembers(reader: JsonReader, ignored: Set<string>): Map<string, string> {
  const members = new Map<string, string>();
  reader.members((name) => {
    const at = reader.position;
    const kind = reader.peek();
    const value = reader.raw();
    const member = MEMBERS.get(name);
    if (member === undefined) {
      if (!LEFT_OUT.has(name) && !isNothing(value)) ignored.add(JSON.stringify(name));
      return;
    }
    if (value === 'null') return;
    if (member === 'metadata' && kind !== 'object') {
      if (!isNothing(value)) ignored.add(JSON.stringify(name));
      return;
    }
    if ((member === 'name' || member === 'value') && kind !== 'string' && kind !== 'object')
      throw reader.fail(`${JSON.stringify(name)} must be a string; put it in quotes`, at);
    if (members.has(member)) throw reader.fail(`the entry has its ${member} twice`, at);
    members.set(member, value);
  });
  return members;
}

function isNothing(json: string): boolean {
  return ['null', '""', '[]', '{}'].includes(json);
}
