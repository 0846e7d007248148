/** `mav service backup FOLDER --daily`: has the service manager make a backup every day. `--off` removes that. */
import { chooseTarget } from '../backup/backup-target.ts';
import { readWhole } from '../input/numbers.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { type BackupTimer, describeBackupTimer } from '../service/backup-timer.ts';
import { countServiceFiles, removeServiceFiles, writeServiceFiles } from '../service/files.ts';
import { choosePlatform, gatherFacts } from '../service/installation.ts';
import { checkServable } from '../service/obstacles.ts';
import { printFiles, printSteps, removalStep } from '../service/plan.ts';
import { runSteps } from '../service/steps.ts';

const DEFAULT_KEPT = 30;
const MAX_KEPT = 10_000;

export const run: Run = async (input) => {
  const { flag, args } = input;
  const platform = choosePlatform(input, process.platform);
  if (flag('off')) return remove(input, describeBackupTimer(gatherFacts(input, ['backup']), platform));
  const [given] = args;
  if (given === undefined || !flag('daily'))
    throw usageError('say where to and how often: mav service backup FOLDER --daily');
  const { folder, name } = chooseTarget(given, input.home, false);
  if (name !== null) throw usageError(`${given} is not a folder; make it first`);
  const kept = readWhole(input, 'keep', 1, MAX_KEPT) ?? DEFAULT_KEPT;
  const command = ['backup', '--keep', `${kept}`, '--no-input', folder];
  return install(input, describeBackupTimer(gatherFacts(input, command), platform));
};

async function install(input: Input, timer: BackupTimer): Promise<ExitCode> {
  const { context } = input;
  if (input.flag('print')) {
    printFiles(context, timer.files);
    printSteps(context, timer.install);
    return EXIT.done;
  }
  checkServable(input.home);
  writeServiceFiles(timer.files);
  for (const { path } of timer.files) context.say(`Wrote ${path}`);
  const exitCode = await runSteps(timer.install).catch(() => EXIT.failed);
  if (exitCode !== 0)
    throw new CliError(
      EXIT.failed,
      `the files are written, but ${timer.manager} did not take them; in a login session of yours run this again`,
    );
  context.say('A backup is made every day. Try it now: mav backup with the same folder');
  return EXIT.done;
}

async function remove(input: Input, timer: BackupTimer): Promise<ExitCode> {
  const { context } = input;
  if (input.flag('print')) {
    const paths = [...timer.files.map(({ path }) => path), ...timer.links];
    printSteps(context, [...timer.disable, removalStep(paths), ...timer.forget]);
    return EXIT.done;
  }
  if (countServiceFiles(timer.files) === 0) {
    context.say('No backup is made by itself here.');
    return EXIT.done;
  }
  const disabled = await runSteps(timer.disable).catch(() => EXIT.failed);
  removeServiceFiles(timer.files, timer.links);
  for (const { path } of timer.files) context.say(`Removed ${path}`);
  if (disabled === 0) await runSteps(timer.forget);
  return EXIT.done;
}
