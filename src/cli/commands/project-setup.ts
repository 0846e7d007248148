/** `mav project setup`: makes what a project's file has a generator for, and asks for the rest of what is missing. */
import type { Client } from '../../client/client.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { describeProject } from '../project/collect-project.ts';
import { describeLacking } from '../project/describe-lacking.ts';
import { generateValue } from '../project/generators.ts';
import type { Project } from '../project/load-project.ts';
import { requireProject } from '../project/require-project.ts';
import { type Resolved, resolveVariables } from '../project/resolve-variables.ts';
import { findMisfit } from '../project/value-types.ts';
import type { Input, Reference, Run } from '../run/command.ts';
import { EXIT, isPreconditionFailed } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';

/** What has no value and is to be stored. */
interface Missing {
  readonly resolved: Resolved;
  readonly source: Reference;
}

export const run: Run = async (input) => {
  const project = requireProject(input);
  const missing = await withVault(input, (client) => listMissing(input, client, project));
  const left: Resolved[] = [];
  for (const one of missing) if (!(await setUp(input, one))) left.push(one.resolved);
  for (const one of left) input.context.complain(`mav: ${describeLacking(input, one)}`);
  if (left.length > 0) return EXIT.failed;
  input.context.say(`All is there: ${describeProject(project, project.variables.length)}.`);
  return EXIT.done;
};

/** Once for each place, though several variables may have it. What is wrong in other ways is for `mav project check` to say. */
async function listMissing(input: Input, client: Client, project: Project): Promise<Missing[]> {
  const byPlace = new Map<string, Missing>();
  for (const resolved of await resolveVariables(input, client, project)) {
    const { source, state } = resolved;
    if (state === 'missing' && source !== null) byPlace.set(JSON.stringify(source), { resolved, source });
  }
  return [...byPlace.values()];
}

/** Returns false if nothing could be stored. */
async function setUp(input: Input, { resolved, source }: Missing): Promise<boolean> {
  const { said, name } = resolved.variable;
  const { generate } = said;
  if (generate !== undefined) return store(input, source, name, (client) => generateValue(client, generate));
  if (!input.context.canAsk) return false;
  const value = await askValue(input, resolved);
  return store(input, source, name, async () => value);
}

/** The vault is open only for as long as this takes, so that other commands can use it while somebody types. */
async function store(
  input: Input,
  source: Reference,
  variable: string,
  make: (client: Client) => Promise<string>,
): Promise<boolean> {
  const { name, environment, field } = source;
  // What somebody else has stored meanwhile stays.
  const options = { environment, ifNoneMatch: '*' } as const;
  const what = describeSecret(name, environment, field);
  try {
    await withVault(input, async (client) => {
      const value = await make(client);
      if (field === undefined) await client.putValue(name, value, options);
      else await client.putField(name, field, value, options);
    });
    input.context.say(`Stored ${what}, for ${variable}.`);
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
    input.context.say(`Note: ${what} was stored meanwhile, and stays as it is.`);
  }
  return true;
}

async function askValue({ context }: Input, { variable }: Resolved): Promise<string> {
  const { askNewSecret } = await import('../terminal/prompt.ts');
  const { name, said } = variable;
  for (;;) {
    const about = said.description === undefined ? '' : `, ${said.description}`;
    const value = await askNewSecret(context, `Value of ${name}${about}`);
    const misfit = said.type === undefined ? null : findMisfit(said.type, value);
    if (misfit === null) return value;
    context.complain(`That ${misfit}.`);
  }
}
