/** `mav project files`: the files that decide, the nearest first. */
import { requireProject } from '../project/require-project.ts';
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';

export const run: Run = async (input) => {
  const paths = requireProject(input).files.map(({ path }) => path);
  if (input.output === 'json') input.context.printJson(JSON.stringify(paths));
  else input.context.print(paths.join('\n'));
  return EXIT.done;
};
