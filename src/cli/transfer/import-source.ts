/** What an import stores, as the API takes it, and where each entry stands in the file. */
import { isUtf8 } from 'node:buffer';
import { IMPORT_BODY_SIZE, IMPORT_ENTRIES } from '../../routes.ts';
import { JsonReadError } from '../../text/json-reader.ts';
import { readStandardInput, readUpTo } from '../input/input-file.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { readDotenvEntries } from './import-dotenv.ts';
import { readJsonEntries } from './import-json.ts';
import type { SourceEntry } from './source-entry.ts';

export interface ImportSource {
  /** The file's name in messages. */
  readonly name: string;
  /** The body of the request. */
  readonly body: Uint8Array;
  /** Where each entry stands in the source, by its index in the body: `line 3`. */
  readonly places: readonly string[];
  /** What `-o json` says of the source beside the result. */
  readonly about?: object;
  /** Whether what was stored is opened again and compared with the source. */
  readonly isComparedAfter?: boolean;
}

const STANDARD_INPUT = '-';
const MIB = 1_048_576;
/** Bytes of the file. It may be larger than the request, which has no white space and no times. */
const MAX_FILE_SIZE = 256 * MIB;

/** Throws CliError for a file that cannot be imported. Its message names a line, never content. */
export async function readImportSource(input: Input): Promise<ImportSource> {
  const [path = ''] = input.args;
  const name = path === STANDARD_INPUT ? 'standard input' : path;
  const text = decodeText(name, path === STANDARD_INPUT ? await readPiped(name) : readFile(path));
  const entries = readEntries(input, name, text);
  if (entries.length > IMPORT_ENTRIES) {
    const [count, most] = [entries.length, IMPORT_ENTRIES].map((number) => number.toLocaleString('en'));
    throw tooMany(`${name} has ${count} secrets, and at most ${most}`);
  }
  const body = Buffer.from(`{"secrets":[${entries.map(({ json }) => json).join(',')}]}`);
  if (body.length > IMPORT_BODY_SIZE)
    throw tooMany(
      `${name} has ${Math.ceil(body.length / MIB)} MiB of secrets, and at most ${IMPORT_BODY_SIZE / MIB}`,
    );
  return { name, body, places: entries.map(({ line }) => `line ${line}`) };
}

/** The file is not split here: of several requests some could be stored and others not. */
function tooMany(what: string): CliError {
  return new CliError(
    EXIT.failed,
    `${what} can be imported at once, where all is stored or nothing; split it into files, and import one after the other`,
  );
}

function readEntries(input: Input, name: string, text: string): SourceEntry[] {
  const format = input.text('format') ?? (/^\s*[{[]/.test(text) ? 'json' : 'dotenv');
  // The Go program calls it env.
  if (format === 'dotenv' || format === 'env') return readDotenvEntries(input, name, text);
  if (format !== 'json') throw usageError('--format must be json or dotenv');
  try {
    return readJsonEntries(input, name, text);
  } catch (error) {
    if (error instanceof JsonReadError) throw usageError(`${name}, ${error.message}`);
    throw error;
  }
}

function decodeText(name: string, bytes: Buffer): string {
  if (!isUtf8(bytes)) throw usageError(`${name} is not UTF-8`);
  const text = bytes.toString();
  bytes.fill(0);
  // In JSON too a line end stands between values only, and errors count the lines.
  return (text.startsWith('\ufeff') ? text.slice(1) : text).replaceAll(/\r\n?/g, '\n');
}

async function readPiped(name: string): Promise<Buffer> {
  const bytes = await readStandardInput(MAX_FILE_SIZE);
  if (bytes === null) throw tooLarge(name);
  return bytes;
}

function readFile(path: string): Buffer {
  const bytes = readUpTo(path, MAX_FILE_SIZE);
  if (bytes === null) throw tooLarge(path);
  return bytes;
}

function tooLarge(name: string): CliError {
  return new CliError(EXIT.failed, `${name} is larger than ${MAX_FILE_SIZE / MIB} MiB; split it`);
}
