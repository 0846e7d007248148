/** `mav completion SHELL`: prints the script that completes commands, options and names there. */

import { SHELLS, scripts } from '../completion/scripts.ts';
import type { Run } from '../run/command.ts';
import { EXIT, usageError } from '../run/failure.ts';

export const run: Run = async ({ context, args }) => {
  const shell = SHELLS.find((known) => known === args[0]);
  if (shell === undefined) throw usageError(`the shell must be one of ${SHELLS.join(', ')}`);
  context.write(Buffer.from(scripts[shell]));
  return EXIT.done;
};
