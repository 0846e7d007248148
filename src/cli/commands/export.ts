/** `mav export`: everything that the vault holds, or one environment of it, in the clear. */

import { existsSync } from 'node:fs';
import type { Client } from '../../client/client.ts';
import { JsonReader } from '../../text/json-reader.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode, usageError } from '../run/failure.ts';
import { writePiece } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';
import { PrivateFile } from '../transfer/output-file.ts';
import { SpecialOutput } from '../transfer/special-output.ts';
import { collectVariables } from '../variables/collect-variables.ts';
import { type FileForm, formatVariables } from '../variables/variable-file.ts';
import { withVault } from '../vault/access.ts';
import { readPages } from '../vault/entries.ts';

const STANDARD_OUTPUT = '-';
const EXPORT_START = '{"format":"maestrovault-export","version":1,"secrets":[\n';

/** Writes the next piece. Returns false once the reader has gone away. */
type Write = (piece: string) => boolean | Promise<boolean>;

interface Exported {
  readonly what: string;
  readonly count: number;
  /** How many entries could not be opened. */
  readonly skipped: number;
}

export const run: Run = async (input) => {
  const { context } = input;
  const exportAs = chooseForm(input);
  const path = findTarget(input);
  const special = path === undefined ? null : SpecialOutput.find(path);
  checkTarget(input, path, special);
  const file = path === undefined || special !== null ? null : new PrivateFile(path);
  const write = special ? writeTo(special) : file ? writeInto(file) : writeOut(input);
  try {
    const { what, count, skipped } = await exportAs(input, write);
    file?.commit();
    if (file === null && !(await context.flushed())) return EXIT.done;
    context.say(`Exported ${count} ${what}${count === 1 ? '' : 's'}.`);
    if (skipped > 0) context.complain(`mav: ${skipped} that cannot be opened were left out`);
    return skipped === 0 ? EXIT.done : EXIT.failed;
  } finally {
    file?.discard();
    special?.close();
  }
};

/** Returns undefined for standard output, which `-` names too, as for `mav inject`. */
function findTarget({ text }: Input): string | undefined {
  const path = text('to');
  return path === STANDARD_OUTPUT ? undefined : path;
}

function chooseForm({ flag, output }: Input) {
  if (output === 'json') {
    const other = ['only', 'except', 'filter', 'prefix'].find((option) => flag(option));
    if (other !== undefined) throw usageError(`--${other} goes with -o dotenv and -o docker`);
    return exportJson;
  }
  const form = output === 'docker' ? output : 'dotenv';
  if (flag('skip-unreadable')) throw usageError('--skip-unreadable goes with -o json');
  return (input: Input, write: Write) => exportVariables(input, form, write);
}

function checkTarget(
  { context, flag }: Input,
  path: string | undefined,
  special: SpecialOutput | null,
): void {
  if (flag('force')) return;
  const isShown = path === undefined ? context.isOutputTerminal : special?.isTerminal === true;
  if (isShown && !flag('reveal'))
    throw usageError('this would show every secret on the screen; give --to FILE, a pipe, or --reveal');
  if (path !== undefined && special === null && existsSync(path))
    throw usageError(`${path} is there already; --force replaces it`);
}

function writeInto(file: PrivateFile): Write {
  return (piece) => {
    file.write(piece);
    return true;
  };
}

function writeTo(output: SpecialOutput): Write {
  return (piece) => output.write(Buffer.from(piece));
}

/** Waits for a reader that is slower than the vault, and stops when the reader goes away. */
function writeOut({ context }: Input): Write {
  return (piece) => writePiece(context, piece);
}

/** Writes one entry a line, as the API returns it. */
async function exportJson(input: Input, write: Write): Promise<Exported> {
  const progress = new Progress(input);
  // Its line would stand in the middle of the data.
  if (findTarget(input) === undefined && input.context.isOutputTerminal) progress.end();
  const counts = { count: 0, skipped: 0 };
  await withVault(input, async (client) => {
    const total = progress.isShown ? await countSecrets(input, client) : null;
    let isRead = true;
    for await (const page of readPages(client, input.environment)) {
      const entries = splitPage(page);
      isRead = await writeEntries(input, entries, counts, write);
      if (!isRead) break;
      const done = counts.count + counts.skipped;
      if (total === null) progress.show(`Exporting secrets: ${done}`);
      else progress.showCount('Exporting secrets', done, total);
    }
    if (counts.count + counts.skipped === 0 && isRead) await checkEmpty(input, client);
    await write(`${counts.count === 0 ? EXPORT_START : '\n'}]}\n`);
  });
  progress.end();
  return { what: 'secret', ...counts };
}

/** Adds a page to the export and to `counts`. Returns false once the reader has gone away. */
async function writeEntries(
  input: Input,
  entries: readonly string[],
  counts: { count: number; skipped: number },
  write: Write,
): Promise<boolean> {
  const readable = entries.filter((entry) => !isUnreadable(entry));
  if (readable.length < entries.length) checkSkipped(input, entries);
  const separator = counts.count === 0 ? EXPORT_START : ',\n';
  counts.count += readable.length;
  counts.skipped += entries.length - readable.length;
  return readable.length === 0 || write(separator + readable.join(',\n'));
}

/** Returns null if only one environment is exported: the vault counts only all of its secrets. */
async function countSecrets({ environment }: Input, client: Client): Promise<number | null> {
  return environment === undefined ? (await client.info()).secret_count : null;
}

/** Throws CliError if an environment was named that holds nothing, except with --allow-empty. */
async function checkEmpty(input: Input, client: Client): Promise<void> {
  if (input.environment === undefined || input.flag('allow-empty')) return;
  const { emptyError } = await import('../vault/environments.ts');
  throw await emptyError(input, client, input.environment);
}

function splitPage(page: string): string[] {
  const reader = new JsonReader(page);
  const entries: string[] = [];
  reader.items(() => entries.push(reader.raw()));
  return entries;
}

/** Whether the item says that an entry cannot be opened. Only such items have a member `code`. */
function isUnreadable(entry: string): boolean {
  return hasErrorCode(JSON.parse(entry), 'integrity');
}

/** Throws CliError that names the first unreadable entry, except with --skip-unreadable. */
function checkSkipped({ context, flag }: Input, entries: readonly string[]): void {
  for (const entry of entries.filter(isUnreadable)) {
    const { name, environment, error } = JSON.parse(entry);
    const what = `${describeSecret(name, environment)}: ${error}`;
    if (!flag('skip-unreadable')) throw new CliError(EXIT.failed, `${what}; --skip-unreadable leaves it out`);
    context.complain(`mav: ${what}`);
  }
}

/** The variables of `mav env`, one after the other. */
async function exportVariables(input: Input, form: FileForm, write: Write): Promise<Exported> {
  const variables = await collectVariables(input);
  await write(formatVariables(form, variables, input.context.say));
  return { what: 'variable', count: variables.length, skipped: 0 };
}
