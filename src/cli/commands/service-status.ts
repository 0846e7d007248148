/** `mav service status`: what the service manager says of it; 0 only while the daemon runs. */
import type { Run } from '../command.ts';
import { checkInstalled } from '../service/files.ts';
import { describeService } from '../service/installation.ts';
import { passThrough, succeeds } from '../service/steps.ts';

export const run: Run = async (input) => {
  const service = await describeService(input);
  checkInstalled(service.files);
  const exitCode = await passThrough(service.status);
  // A service that is loaded, or whose socket waits, need not run.
  if (exitCode !== 0 || (await succeeds(service.isRunning))) return exitCode;
  return NOT_RUNNING;
};

/** What `systemctl status` answers, and init scripts before it. */
const NOT_RUNNING = 3;
