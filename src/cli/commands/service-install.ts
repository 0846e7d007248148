/** `mav service install`: makes `mav serve` a login item. */
import type { Run } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { countServiceFiles, writeServiceFiles } from '../service/files.ts';
import { describeService } from '../service/installation.ts';
import { checkNobodyServes, checkServable } from '../service/obstacles.ts';
import { printFiles, printSteps } from '../service/plan.ts';
import { runSteps } from '../service/steps.ts';

export const run: Run = async (input) => {
  const { context } = input;
  const service = await describeService(input);
  if (input.flag('print')) {
    printFiles(context, service.files);
    printSteps(context, service.install);
    return EXIT.done;
  }
  const { home } = input;
  checkServable(home);
  countServiceFiles(service.files);
  await checkNobodyServes(home, service);
  writeServiceFiles(service.files);
  for (const { path } of service.files) context.say(`Wrote ${path}`);
  const exitCode = await runSteps(service.install).catch(() => EXIT.failed);
  if (exitCode !== 0) {
    throw new CliError(
      EXIT.failed,
      `the files are written, but ${service.manager} did not start the service; in a login session of yours run: mav service install`,
    );
  }
  context.say('The service runs, and is there after every login. See it: mav service status');
  return EXIT.done;
};
