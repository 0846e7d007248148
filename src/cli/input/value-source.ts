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
/** Of the longer kind. */
const NEWLINE_SIZE = 2;

/** The option that names a value's source; null where none does. Throws CliError for two. */
export function findSource(input: Input, options: readonly string[]): string | null {
  const given = options.filter((option) => input.flag(option));
  if (given.length > 1) throw usageError(`give one of ${given.map((option) => `--${option}`).join(' and ')}`);
  return given[0] ?? null;
}

/** The value's bytes, not empty. `what` names it in a prompt; `ifEmpty` is said of an empty one. Throws CliError. */
export async function readValue(
  input: Input,
  what: string,
  ifEmpty = 'the value is empty; nothing was stored',
): Promise<Uint8Array> {
  const value = await readSource(input, what);
  if (value.length === 0) throw usageError(ifEmpty);
  if (value.length > MAX_VALUE_SIZE) throw tooLarge();
  return value;
}

async function readSource(input: Input, what: string): Promise<Uint8Array> {
  const source = findSource(input, VALUE_SOURCES);
  if (source === 'value') return Buffer.from(input.text('value') ?? '');
  if (source === 'from-file') return trim(input, readFile(input.text('from-file') ?? ''));
  if (source === 'stdin' || !input.context.isInputTerminal) return trim(input, await readPiped());
  if (!input.context.canAsk)
    throw usageError('nobody can be asked for the value here; pipe it in, or give --from-file');
  const { checkReachable } = await import('../vault/reachable.ts');
  await checkReachable(input);
  const { askNewSecret } = await import('../terminal/prompt.ts');
  return Buffer.from(await askNewSecret(input.context, what));
}

function readFile(path: string): Buffer {
  const bytes = readUpTo(path, MAX_VALUE_SIZE + NEWLINE_SIZE);
  if (bytes === null) throw tooLarge();
  return bytes;
}

/** A newline that is left out may come on top. */
async function readPiped(): Promise<Buffer> {
  const bytes = await readStandardInput(MAX_VALUE_SIZE + NEWLINE_SIZE);
  if (bytes === null) throw tooLarge();
  return bytes;
}

function tooLarge(): CliError {
  return new CliError(EXIT.failed, `the value is larger than ${MAX_VALUE_SIZE} bytes; nothing was stored`);
}

/** Bytes are kept as they come; a newline that was hardly meant is said, and taken off only where that is asked for. */
function trim({ context, flag }: Input, bytes: Buffer): Uint8Array {
  const end = findEndBeforeNewline(bytes);
  if (end === bytes.length) return bytes;
  if (flag('trim')) return bytes.subarray(0, end);
  if (!bytes.subarray(0, end).includes(NEWLINE))
    context.say('Note: the value ends with a newline, which is stored; --trim leaves it out.');
  return bytes;
}
