/** `mav version`. */
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';
import { readPackage } from '../package-json.ts';

export const run: Run = async ({ context }) => {
  context.print(readPackage().version);
  return EXIT.done;
};
