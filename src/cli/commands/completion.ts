/** `mav completion SHELL`: prints the script that completes commands, options and names there. */
import type { Run } from '../command.ts';
import { SHELLS, scripts } from '../completion/scripts.ts';
import { EXIT, usageError } from '../failure.ts';

export const run: Run = async ({ context, args }) => {
  const shell = SHELLS.find((known) => known === args[0]);
  if (shell === undefined) throw usageError(`the shell must be one of ${SHELLS.join(', ')}`);
  context.write(Buffer.from(scripts[shell]));
  return EXIT.done;
};
