/** `mav project check`: whether everything that a project's file asks for is there and of its type. Shows no value. */

import { formatReference } from '../input/reference.ts';
import { describeProject } from '../project/collect-project.ts';
import { describeLacking, writeSetCommand } from '../project/describe-lacking.ts';
import type { Project } from '../project/load-project.ts';
import { requireProject } from '../project/require-project.ts';
import { type Resolved, resolveVariables } from '../project/resolve-variables.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';

export const run: Run = async (input) => {
  const project = requireProject(input);
  const resolved = await withVault(input, (client) => resolveVariables(input, client, project));
  const lacking = resolved.filter(({ state }) => state === 'missing' || state === 'unfit');
  if (input.output === 'json') input.context.printJson(formatJson(input, project, resolved));
  else for (const one of lacking) input.context.print(describeLacking(input, one));
  if (lacking.length > 0) return EXIT.failed;
  input.context.say(`All is there: ${describeProject(project, resolved.length)}.`);
  return EXIT.done;
};

function formatJson(input: Input, { files, environment }: Project, resolved: readonly Resolved[]): string {
  return JSON.stringify({
    files: files.map(({ path }) => path),
    environment,
    variables: resolved.map((one) => describeVariable(input, one)),
  });
}

function describeVariable(input: Input, { variable, state, why, source, lacking }: Resolved) {
  const isLacking = state === 'missing' || state === 'unfit';
  return {
    name: variable.name,
    state,
    place: variable.place,
    ...(why === undefined ? {} : { why }),
    ...(lacking.length === 0 ? {} : { lacking }),
    ...(source === null ? {} : { ref: formatReference(source) }),
    ...(isLacking && source !== null ? { command: writeSetCommand(input, source) } : {}),
  };
}
