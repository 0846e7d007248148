/** `mav service uninstall`: removes the login item of `mav serve`. Vault and keys are not touched. */
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { countServiceFiles, removeServiceFiles } from '../service/files.ts';
import { describeService } from '../service/installation.ts';
import { printSteps, removalStep } from '../service/plan.ts';
import { runSteps } from '../service/steps.ts';

export const run: Run = async (input) => {
  const { context } = input;
  const service = await describeService(input);
  if (input.flag('print')) {
    const paths = [...service.files.map(({ path }) => path), ...service.links];
    printSteps(context, [...service.disable, removalStep(paths), ...service.forget]);
    return EXIT.done;
  }
  if (countServiceFiles(service.files) === 0) {
    context.say('There is no service of mav here.');
    return EXIT.done;
  }
  const disabled = await runSteps(service.disable).catch(() => EXIT.failed);
  removeServiceFiles(service.files, service.links);
  for (const { path } of service.files) context.say(`Removed ${path}`);
  if (disabled === 0) await runSteps(service.forget);
  else
    context.say(`Without ${service.manager}, which could not be asked: what it runs, it runs until logout.`);
  return EXIT.done;
};
