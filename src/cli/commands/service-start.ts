/** `mav service start`: starts the installed service. */
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { checkInstalled } from '../service/files.ts';
import { describeService } from '../service/installation.ts';
import { checkNobodyServes, checkServable } from '../service/obstacles.ts';
import { printSteps } from '../service/plan.ts';
import { runSteps } from '../service/steps.ts';

export const run: Run = async (input) => {
  const service = await describeService(input);
  if (input.flag('print')) {
    printSteps(input.context, service.start);
    return EXIT.done;
  }
  const { home } = input;
  checkInstalled(service.files);
  checkServable(home);
  await checkNobodyServes(home, service);
  return runSteps(service.start);
};
