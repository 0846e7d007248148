/** The variables that a project's files ask for, for `mav exec`, `mav watch` and `mav env`. */
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { isTooLong, TOO_LONG, type Variable } from '../variables/variables.ts';
import type { withVault } from '../vault/access.ts';
import { checkAllowed } from './allowed.ts';
import { describeLacking } from './describe-lacking.ts';
import { loadProject, type Project } from './load-project.ts';
import { makePrivateFiles, type PrivateFile } from './private-files.ts';
import { type Resolved, resolveVariables } from './resolve-variables.ts';

interface Wishes {
  /** The most bytes that `NAME=value` may have. */
  readonly maxSize: number;
  /** Whether there will be a program, with whose end the files of `as_file` go. */
  readonly hasProgram: boolean;
}

/** Returns null if no folder from the working one up has a file. Throws CliError. */
export function openProject(input: Input): Project | null {
  const { context, environment, text } = input;
  const given = text('env') ?? (context.env.MAV_ENV || undefined);
  return loadProject(process.cwd(), given, environment);
}

/** Throws CliError, and hands out nothing, if something that the project requires is missing or does not fit. */
export async function collectProject(
  input: Input,
  project: Project,
  { maxSize, hasProgram }: Wishes,
  access: typeof withVault,
): Promise<Variable[]> {
  checkAllowed(input, project);
  const needsVault = project.variables.some(({ said }) => said.ref !== undefined);
  // A file whose values are all its own needs no vault.
  const resolved = needsVault
    ? await access(input, (client) => resolveVariables(input, client, project))
    : await resolveVariables(input, null, project);
  const lacking = resolved.filter(({ state }) => state === 'missing' || state === 'unfit');
  if (lacking.length > 0) throw explainLacking(input, lacking);
  const given = resolved.filter(({ state }) => state === 'given');
  const variables = [...listTexts(given, maxSize), ...writeFiles(given, hasProgram)];
  input.context.say(`Note: ${describeProject(project, variables.length)}`);
  return variables.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** `2 variables of /home/me/app/mav.toml, environment dev`. */
export function describeProject({ files, environment }: Project, count: number): string {
  const where = environment === '' ? 'the default environment' : `environment ${environment}`;
  return `${count} ${count === 1 ? 'variable' : 'variables'} of ${files[0]?.path}, ${where}`;
}

function explainLacking(input: Input, lacking: readonly Resolved[]): CliError {
  const isMissing = lacking.some(({ state }) => state === 'missing');
  const [first, ...others] = lacking.map((resolved) => describeLacking(input, resolved));
  const more = others.length === 0 ? '' : `; and ${others.length} more: mav project check lists them`;
  return new CliError(isMissing ? EXIT.notFound : EXIT.failed, `${first}${more}`);
}

function listTexts(given: readonly Resolved[], maxSize: number): Variable[] {
  return given
    .filter(({ variable }) => variable.said.as_file !== true)
    .map(({ variable, value, source }) => {
      const [name, text] = [variable.name, value as string];
      if (isTooLong(name, text, maxSize))
        throw new CliError(
          EXIT.failed,
          `${name} (${variable.place}) cannot be a variable: it ${TOO_LONG}; as_file = true makes it a file`,
        );
      return { name, value: text, source };
    });
}

function writeFiles(given: readonly Resolved[], hasProgram: boolean): Variable[] {
  const files = given.filter(({ variable }) => variable.said.as_file === true);
  if (files.length === 0) return [];
  const [first] = files;
  if (!hasProgram)
    throw new CliError(
      EXIT.usage,
      `${first?.variable.name} (${first?.variable.place}) is a file that goes with the program that uses it; give it by mav exec, or leave it out`,
    );
  const paths = makePrivateFiles(
    files.map(({ variable, value }): PrivateFile => ({ name: variable.name, value: value ?? '' })),
  );
  return files.map(({ variable, source }, at) => ({ name: variable.name, value: paths[at] ?? '', source }));
}
