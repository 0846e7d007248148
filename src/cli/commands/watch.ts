/** `mav watch`: runs a program again whenever a secret that it uses changes, or prints what changes. */
import type { Run } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { withDaemon } from '../vault/access.ts';
import { followDaemon } from '../watch/follow-daemon.ts';
import { printChanges } from '../watch/print-changes.ts';
import { readGrace, runAndRestart } from '../watch/run-and-restart.ts';

const DEFAULT_GRACE = '10s';
/** What only a program can use. */
const FOR_PROGRAMS = ['grace', 'only', 'except', 'filter', 'prefix', 'allow-empty', 'env-file'];

export const run: Run = async (input) => {
  const { args, environment, flag, text } = input;
  const isProgram = args.length > 0;
  const unused = isProgram ? ['output'] : FOR_PROGRAMS;
  const wrong = unused.find((option) => flag(option));
  if (wrong !== undefined)
    throw usageError(
      isProgram
        ? `--${wrong} is for mav watch without a program`
        : `--${wrong} needs a program to run: mav watch -- <command>`,
    );
  const graceMs = readGrace(text('grace') ?? DEFAULT_GRACE);
  // Says what to do if no daemon runs.
  await withDaemon(input, async () => {});
  const stop = new AbortController();
  try {
    if (!isProgram) return await printChanges(input, followDaemon(input, environment, stop.signal));
    return await runAndRestart(input, graceMs, () => followDaemon(input, undefined, stop.signal));
  } finally {
    stop.abort();
  }
};
