/**
 * JSON as entries of an import: what `mav export` wrote, an object of names and values, or a list. What goes on to the API is
 * taken over as it was written, so that numbers in metadata stay the same; the API checks it.
 */

import { JsonReader } from '../../text/json-reader.ts';
import type { Input } from '../run/command.ts';
import { endReading, readList, unknownShape } from './import-list.ts';
import { checkEmpty, chooseEnvironment, FOUND_BY_VAULT, type SourceEntry } from './source-entry.ts';

const FORMAT = 'maestrovault-export';
const VERSION = '1';
const EXPORT_START = new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${FORMAT}"\\s*[,}]`);

const TAKEN_OVER: ReadonlySet<string> = new Set([
  'name',
  'environment',
  'value',
  'encoding',
  'metadata',
  'fields',
  'expires_at',
  'rotate_by',
  'confirm',
]);
/** Members of an export that are not imported, because the vault sets them itself. */
const LEFT_OUT: ReadonlySet<string> = new Set(FOUND_BY_VAULT);

/** Throws JsonReadError, CliError. */
export function readJsonEntries(input: Input, path: string, text: string): SourceEntry[] {
  const reader = new JsonReader(text);
  const kind = reader.peek();
  if (kind === 'array') return readList(input, path, reader);
  if (kind !== 'object' && kind !== 'other') throw unknownShape(reader);
  return isExport(text) ? readExport(input, reader) : readObject(input, path, reader);
}

/** Mostly the first member says so, and the rest is read once only. Throws JsonReadError. */
function isExport(text: string): boolean {
  if (EXPORT_START.test(text)) return true;
  const reader = new JsonReader(text);
  let found = false;
  reader.members((name) => {
    const value = reader.raw();
    if (name === 'format' && value === JSON.stringify(FORMAT)) found = true;
  });
  endReading(reader);
  return found;
}

function readExport(input: Input, reader: JsonReader): SourceEntry[] {
  const entries: SourceEntry[] = [];
  let version: string | null = null;
  reader.members((name) => {
    const at = reader.position;
    if (name === 'secrets') {
      if (reader.peek() !== 'array') throw reader.fail('"secrets" must be an array');
      reader.items(() => entries.push(readEntry(input, reader)));
    } else if (name === 'version') version = reader.raw();
    else if (name === 'format') reader.raw();
    else throw reader.fail('an export has no such member', at);
  });
  endReading(reader);
  if (version !== VERSION)
    throw reader.fail(`this is no export of version ${VERSION}, which is all that this mav knows`, 0);
  return entries;
}

function readEntry(input: Input, reader: JsonReader): SourceEntry {
  const at = reader.position;
  if (reader.peek() !== 'object') throw reader.fail('an entry must be an object');
  const members: string[] = [];
  let environment: string | null = null;
  reader.members((name) => {
    const start = reader.position;
    const value = reader.raw();
    if (LEFT_OUT.has(name)) return;
    if (!TAKEN_OVER.has(name)) throw reader.fail('an entry has no such member', start);
    if (name !== 'environment') members.push(`"${name}":${value}`);
    else if (value !== 'null') environment = value;
  });
  environment = chooseEnvironment(input, environment);
  return { json: `{${members.join(',')},"environment":${environment}}`, line: reader.lineOf(at) };
}

function readObject(input: Input, path: string, reader: JsonReader): SourceEntry[] {
  const entries: SourceEntry[] = [];
  reader.members((name) => {
    const at = reader.position;
    const shown = JSON.stringify(name);
    const kind = reader.peek();
    if (kind === 'object' || kind === 'array') throw unknownShape(reader);
    if (kind !== 'string') throw reader.fail(`${shown} must be a string; put it in quotes`, at);
    const value = reader.raw();
    const line = reader.lineOf(at);
    const environment = JSON.stringify(input.environment ?? '');
    if (value === '""') checkEmpty(input, `${path}, line ${line}: ${shown}`);
    else entries.push({ json: `{"name":${shown},"environment":${environment},"value":${value}}`, line });
  });
  return entries;
}
