/** `mav audit export FILE`: the whole audit log, one JSON object a line, oldest first. */
import { existsSync } from 'node:fs';
import { escapeJson } from '../../text/escape-controls.ts';
import { readEntries } from '../audit/read-entries.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, usageError } from '../run/failure.ts';
import { writePiece } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';
import { PrivateFile } from '../transfer/output-file.ts';
import { withVault } from '../vault/access.ts';

const STANDARD_OUTPUT = '-';

/** Returns false once the reader has gone away. */
type Write = (lines: string) => boolean | Promise<boolean>;

export const run: Run = async (input) => {
  const { context, args, flag } = input;
  const [path = STANDARD_OUTPUT] = args;
  if (path !== STANDARD_OUTPUT && existsSync(path) && !flag('force'))
    throw usageError(`${path} is there already; --force replaces it`);
  const file = path === STANDARD_OUTPUT ? null : new PrivateFile(path);
  const write: Write = (lines) => {
    if (file === null) return writePiece(context, context.isOutputTerminal ? escapeJson(lines) : lines);
    file.write(lines);
    return true;
  };
  try {
    const { count, unreadable } = await exportEntries(input, write, file !== null);
    file?.commit();
    if (file === null && !(await context.flushed())) return EXIT.done;
    context.say(`Exported ${count} ${count === 1 ? 'entry' : 'entries'}.`);
    if (unreadable === 0) return EXIT.done;
    context.complain(
      `mav: ${unreadable} lines of the log cannot be read and are left out; see mav audit verify`,
    );
    return EXIT.failed;
  } finally {
    file?.discard();
  }
};

async function exportEntries(input: Input, write: Write, showsProgress: boolean) {
  const progress = new Progress(input);
  // Its line would stand in the middle of the data.
  if (!showsProgress && input.context.isOutputTerminal) progress.end();
  let count = 0;
  let unreadable = 0;
  await withVault(input, async (client) => {
    for await (const page of readEntries(client, { order: 'oldest' })) {
      const lines = page.items.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      if (lines !== '' && !(await write(lines))) break;
      count += page.items.length;
      unreadable += page.unreadable;
      progress.show(`Exporting entries: ${count}`);
    }
  });
  progress.end();
  return { count, unreadable };
}
