/** `mav service logs`: the daemon's log, from wherever the service manager keeps it. */
import type { Run } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { checkInstalled } from '../service/files.ts';
import { describeService } from '../service/installation.ts';
import { passThrough } from '../service/steps.ts';

const LINES = '100';

export const run: Run = async (input) => {
  const lines = input.text('lines') ?? LINES;
  if (!/^\d{1,9}$/.test(lines)) throw usageError('--lines must be a number');
  const service = await describeService(input);
  checkInstalled(service.files);
  return passThrough(service.logs(lines, input.flag('follow')));
};
