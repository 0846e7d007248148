/** Whose changes a watched program is restarted for. */
import type { SecretName } from '../../../workers/messages.ts';
import { openProject } from '../project/collect-project.ts';
import { usesProject } from '../project/program-variables.ts';
import { listReferences } from '../project/resolve-variables.ts';
import type { Input } from '../run/command.ts';
import { makeChooser } from '../variables/choice.ts';

/** Returns whether a secret of this name can be one of the program's, whether it is there or not. Throws CliError. */
export function makeProgramChooser(input: Input): (secret: SecretName) => boolean {
  const project = usesProject(input) ? openProject(input) : null;
  if (project === null) return makeChooser(input);
  const references = listReferences(project);
  return (secret) =>
    references.some(({ name, environment }) => name === secret.name && environment === secret.environment);
}
