/** `mav service status`: what the service manager says of it; 0 only while the daemon runs. */
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode } from '../run/failure.ts';
import { checkInstalled, countServiceFiles } from '../service/files.ts';
import { describeService } from '../service/installation.ts';
import type { Service } from '../service/service.ts';
import { passThrough, stepSucceeds } from '../service/steps.ts';

export const run: Run = async (input) => {
  const service = await describeService(input);
  if (input.output === 'json') return reportAsJson(input, service);
  checkInstalled(service.files);
  const exitCode = await passThrough(service.status);
  // A service that is loaded, or whose socket waits, need not run.
  if (exitCode !== 0 || (await stepSucceeds(service.isRunning))) return exitCode;
  return NOT_RUNNING;
};

async function reportAsJson({ context }: Input, service: Service): Promise<ExitCode> {
  const installed = countServiceFiles(service.files) === service.files.length;
  const running = installed && (await stepSucceeds(service.isRunning));
  context.printJson(JSON.stringify({ manager: service.manager, installed, running }));
  return running ? EXIT.done : installed ? NOT_RUNNING : EXIT.failed;
}

/** What `systemctl status` answers, and init scripts before it. */
const NOT_RUNNING = 3;
