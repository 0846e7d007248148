/** `mav allow`: lets a project name environments that are protected, for as long as its files stay as they are. */

import { formatReference } from '../input/reference.ts';
import { digestProject, isAllowed, readAllowed, writeAllowed } from '../project/allowed.ts';
import type { Project, Variable } from '../project/load-project.ts';
import { requireProject } from '../project/require-project.ts';
import { listPlaces } from '../project/resolve-variables.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken } from '../vault/access.ts';

export const run: Run = async (input) => {
  refuseToken(input, 'allow a project');
  const project = requireProject(input);
  const { path } = digestProject(project);
  if (input.flag('remove')) return remove(input, path);
  if (isAllowed(input, project)) {
    input.context.say(`${path} is allowed already, as it is now.`);
    return EXIT.done;
  }
  show(input, project);
  await confirm(input, `Allow ${path}, as long as it stays so?`);
  const others = readAllowed(input).filter((allowed) => allowed.path !== path);
  writeAllowed(input, [...others, digestProject(project)]);
  input.context.say(`Allowed ${path}. It has to be allowed again when it changes.`);
  return EXIT.done;
};

function remove(input: Input, path: string): number {
  const all = readAllowed(input);
  const others = all.filter((allowed) => allowed.path !== path);
  if (others.length < all.length) writeAllowed(input, others);
  input.context.say(
    others.length < all.length ? `${path} is not allowed any more.` : `${path} was not allowed.`,
  );
  return EXIT.done;
}

/** What the user is asked about: which files, and what programs will be given. */
function show({ context }: Input, project: Project): void {
  for (const { path } of project.files) context.say(path);
  for (const variable of project.variables)
    context.say(`  ${variable.name}: ${describeValue(variable, project)}`);
}

function describeValue({ said }: Variable, { environment }: Project): string {
  if (said.composed !== undefined) return 'composed of others';
  if (said.ref === undefined) return 'a value of the file\u2019s own';
  const [first, ...others] = listPlaces(said.ref, environment).map(formatReference);
  return others.length === 0 ? `${first}` : `${first}, or else ${others.join(', ')}`;
}
