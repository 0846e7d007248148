/** Where a value comes from that a command stores: exactly one of an option, a file, standard input or a prompt. */
import { findEndBeforeNewline } from '../../text/final-newline.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { readStandardInput, readUpTo } from './input-file.ts';

const NEWLINE = 0x0a;
/** The options that name a value's source; `stdin` only where a command has it. */
export const VALUE_SOURCES = ['value', 'from-file', 'stdin'];
/** What the API takes. */
const MAX_VALUE_SIZE = 1_048_576;
/** Length of `\r\n`, the longer newline that `--trim` may remove. */
const NEWLINE_SIZE = 2;

/** Returns the option that names the value's source, or null. Throws CliError if several do. */
export function findSource(input: Input, options: readonly string[]): string | null {
  const given = options.filter((option) => input.flag(option));
  if (given.length > 1) throw usageError(`give one of ${given.map((option) => `--${option}`).join(' and ')}`);
  return given[0] ?? null;
}

interface ValueOptions {
  /** Said of an empty value. */
  readonly ifEmpty?: string | undefined;
  /** Asks for the value on a terminal; absent: standard input is read, whatever it is. */
  readonly ask?: () => Promise<string>;
}

/** Returns the value's bytes, at least one. Throws CliError. */
export async function readValue(input: Input, options: ValueOptions): Promise<Uint8Array> {
  const { ifEmpty = 'the value is empty; nothing was stored', ask } = options;
  const value = await readSource(input, ask);
  if (value.length === 0) throw usageError(ifEmpty);
  if (value.length > MAX_VALUE_SIZE) throw tooLarge();
  return value;
}

async function readSource(input: Input, ask: ValueOptions['ask']): Promise<Uint8Array> {
  const source = findSource(input, VALUE_SOURCES);
  if (source === 'value') return Buffer.from(input.text('value') ?? '');
  if (source === 'from-file') return trimNewline(input, readFile(input.text('from-file') ?? ''));
  const isAsked = ask !== undefined && source === null && input.context.isInputTerminal;
  return isAsked ? Buffer.from(await ask()) : trimNewline(input, await readPiped());
}

function readFile(path: string): Buffer {
  const bytes = readUpTo(path, MAX_VALUE_SIZE + NEWLINE_SIZE);
  if (bytes === null) throw tooLarge();
  return bytes;
}

/** The limit leaves room for a newline that is left out. */
async function readPiped(): Promise<Buffer> {
  const bytes = await readStandardInput(MAX_VALUE_SIZE + NEWLINE_SIZE);
  if (bytes === null) throw tooLarge();
  return bytes;
}

function tooLarge(): CliError {
  return new CliError(EXIT.failed, `the value is larger than ${MAX_VALUE_SIZE} bytes; nothing was stored`);
}

/** Removes one final newline with --trim. Without it the bytes stay as they are, and a note says that they end so. */
function trimNewline({ context, flag }: Input, bytes: Buffer): Uint8Array {
  const end = findEndBeforeNewline(bytes);
  if (end === bytes.length) return bytes;
  if (flag('trim')) return bytes.subarray(0, end);
  if (!bytes.subarray(0, end).includes(NEWLINE))
    context.say('Note: the value ends with a newline, which is stored; --trim leaves it out.');
  return bytes;
}
