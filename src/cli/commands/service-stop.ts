/** `mav service stop`: until the next login, or `mav service start`. */
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { checkInstalled } from '../service/files.ts';
import { describeService } from '../service/installation.ts';
import { printSteps } from '../service/plan.ts';
import { runSteps } from '../service/steps.ts';

export const run: Run = async (input) => {
  const service = await describeService(input);
  if (input.flag('print')) {
    printSteps(input.context, service.stop);
    return EXIT.done;
  }
  checkInstalled(service.files);
  return runSteps(service.stop);
};
