/** The values of a project's variables: stored, put together, or the file's own. */
import type { Client } from '../../client/client.ts';
import { formatReference } from '../input/reference.ts';
import type { Input, Reference } from '../run/command.ts';
import { readText } from '../variables/variables.ts';
import { fetchKnown } from '../vault/fetch-secrets.ts';
import { listNames } from './composition.ts';
import type { ProjectReference } from './declarations.ts';
import type { Project, Variable } from './load-project.ts';
import { findMisfit } from './value-types.ts';

export interface Resolved {
  readonly variable: Variable;
  /**
   * `given`: it has a value. `absent`: it has none, and needs none. `missing`: it needs one. `unfit`: it has one that is not of its type,
   * or that no variable can hold; `why` says so, and has nothing of the value.
   */
  readonly state: 'given' | 'absent' | 'missing' | 'unfit';
  readonly value?: string | Uint8Array;
  readonly why?: string;
  /** Where the value is stored, or should be; null for one of the file's own. */
  readonly source: Reference | null;
  /** The variables that it is composed of and that have no value. */
  readonly lacking: readonly string[];
}

/**
 * Returns the values in the order of the variables. `client`: null only if nothing of the project is stored. Throws CliError if the vault
 * cannot be asked.
 */
export async function resolveVariables(
  input: Input,
  client: Client | null,
  project: Project,
): Promise<Resolved[]> {
  const stored = client === null ? new Map() : await fetchStored(input, client, project);
  const done = new Map<string, Resolved>();
  const byName = new Map(project.variables.map((variable) => [variable.name, variable]));
  const resolve = (variable: Variable): Resolved => {
    const known = done.get(variable.name);
    if (known !== undefined) return known;
    const parts = listNames(variable.said.composed ?? []);
    const needed = new Map(parts.map((name) => [name, resolve(byName.get(name) as Variable)]));
    const resolved = checkFit(resolveOne(project, variable, stored, needed));
    done.set(variable.name, resolved);
    return resolved;
  };
  return project.variables.map(resolve);
}

type Stored = ReadonlyMap<string, Uint8Array>;

/** Asks for every place at once, so that a project costs one request. */
async function fetchStored(input: Input, client: Client, project: Project): Promise<Stored> {
  const places = listReferences(project);
  if (places.length === 0) return new Map();
  const values = await fetchKnown(input, client, places);
  return new Map(
    places.flatMap((place, at) => {
      const value = values[at] ?? null;
      return value === null ? [] : [[formatReference(place), value] as const];
    }),
  );
}

/** Where a value may be stored, the first that has one counts. */
export function listPlaces({ environment, name, field }: ProjectReference, chosen: string): Reference[] {
  const environments = environment === null ? [...new Set([chosen, ''])] : [environment];
  return environments.map((one) => ({ environment: one, name, ...(field === undefined ? {} : { field }) }));
}

function resolveOne(
  project: Project,
  variable: Variable,
  stored: Stored,
  needed: ReadonlyMap<string, Resolved>,
): Resolved {
  const { said } = variable;
  if (said.composed !== undefined) return compose(variable, said.composed, needed);
  const places = said.ref === undefined ? [] : listPlaces(said.ref, project.environment);
  const at = places.find((place) => stored.has(formatReference(place)));
  const shared = { variable, lacking: [] };
  if (at !== undefined)
    return { ...shared, state: 'given', source: at, value: stored.get(formatReference(at)) as Uint8Array };
  if (said.default !== undefined) return { ...shared, state: 'given', source: null, value: said.default };
  return { ...shared, state: said.required === false ? 'absent' : 'missing', source: places[0] ?? null };
}

function compose(
  variable: Variable,
  composed: NonNullable<Variable['said']['composed']>,
  needed: ReadonlyMap<string, Resolved>,
): Resolved {
  const shared = { variable, source: null };
  const texts = [...needed].map(([name, { state, value }]) => ({
    name,
    text: state === 'given' ? readText(value ?? '') : null,
  }));
  const lacking = texts.filter(({ text }) => typeof text !== 'string').map(({ name }) => name);
  if (lacking.length > 0)
    return { ...shared, lacking, state: variable.said.required === false ? 'absent' : 'missing' };
  const byName = new Map(texts.map(({ name, text }) => [name, text as string]));
  const value = composed.map((part) => (typeof part === 'string' ? part : byName.get(part.name))).join('');
  return { ...shared, lacking, state: 'given', value };
}

/** Makes text of a value that becomes a variable, and notes what does not fit. */
function checkFit(resolved: Resolved): Resolved {
  const { state, value, variable } = resolved;
  if (state !== 'given' || value === undefined) return resolved;
  const { type, as_file: isFile = false } = variable.said;
  const text = readText(value);
  const why = typeof text === 'string' ? (type === undefined ? null : findMisfit(type, text)) : text.why;
  // A file may hold any bytes, unless the type says what they are.
  const isBytes = isFile && type === undefined && typeof text !== 'string';
  if (why !== null && !isBytes) {
    const { value: _value, ...rest } = resolved;
    return { ...rest, state: 'unfit', why };
  }
  return isFile ? resolved : { ...resolved, value: text as string };
}

/** Every place in which a variable of the project may be stored. */
export function listReferences({ variables, environment }: Project): Reference[] {
  return variables.flatMap(({ said }) => (said.ref === undefined ? [] : listPlaces(said.ref, environment)));
}
