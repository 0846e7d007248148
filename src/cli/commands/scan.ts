/** `mav scan`: finds the vault's own values in files. It prints where and which, and no part of a value. */
import type { Client } from '../../client/client.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { printFindings } from '../scan/findings.ts';
import { type ScanResult, scanFiles, scanStaged, scanStandardInput } from '../scan/places.ts';
import { readWatchedValues, type WatchedValues } from '../scan/watched-values.ts';
import { withVault } from '../vault/access.ts';

const STANDARD_INPUT = '-';

export const run: Run = async (input) => {
  const scan = chooseScan(input);
  // The vault is closed before anything is looked through, however much that is.
  const watched = await withVault(input, (client) => readWatched(input, client));
  sayWatched(input, watched);
  return finishScan(input, watched, await scan(watched.matcher, input));
};

/** Throws CliError if an environment was named that holds nothing: a scan without values would find nothing and pass. */
async function readWatched(input: Input, client: Client): Promise<WatchedValues> {
  const environment = input.text('env');
  const watched = await readWatchedValues(client, environment);
  const isEmpty = watched.count + watched.skipped + watched.unreadable.length === 0;
  if (environment === undefined || !isEmpty || input.flag('allow-empty')) return watched;
  const { emptyError } = await import('../vault/environments.ts');
  throw await emptyError(input, client, environment);
}

function chooseScan({ args, flag }: Input) {
  const readsInput = args.includes(STANDARD_INPUT);
  if (readsInput && (args.length > 1 || flag('staged')))
    throw usageError('- is standard input; it goes with no other path and not with --staged');
  if (flag('staged') && flag('all'))
    throw usageError('--all is about files, and --staged about what git has');
  return readsInput ? scanStandardInput : flag('staged') ? scanStaged : scanFiles;
}

function sayWatched({ context }: Input, { count, skipped, unreadable }: WatchedValues): void {
  if (count === 0) context.say('The vault has no values to look for.');
  if (skipped > 0)
    context.say(
      `${skipped} ${skipped === 1 ? 'value is' : 'values are'} too short or too common to look for.`,
    );
  for (const { name, environment } of unreadable)
    context.complain(`mav: ${describeSecret(name, environment)} cannot be opened, and is not looked for`);
}

function finishScan(
  { context, ...input }: Input,
  { unreadable }: WatchedValues,
  { findings, files, problems }: ScanResult,
): ExitCode {
  const found = findings.list();
  printFindings({ context, ...input }, found);
  for (const problem of problems) context.complain(`mav: ${problem}`);
  const places = `${found.length} ${found.length === 1 ? 'place' : 'places'}`;
  context.say(
    `Looked through ${files} ${files === 1 ? 'file' : 'files'}: ${found.length === 0 ? 'nothing' : places} found.`,
  );
  return found.length + problems.length + unreadable.length === 0 ? EXIT.done : EXIT.failed;
}
