/** The files of a project, put together: for each variable what is said of it, the nearest file on top. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { usageError } from '../run/failure.ts';
import { findClose } from '../usage/close-word.ts';
import { listNames } from './composition.ts';
import type { Declaration } from './declarations.ts';
import { findNearestFiles } from './find-files.ts';
import { type Declarations, type Placed, type ProjectFile, parseProjectFile } from './parse-file.ts';
import { readProjectFile } from './read-file.ts';

/** A variable of the project. */
export interface Variable extends Placed {
  readonly name: string;
}

export interface Project {
  /** The paths of all files, the nearest first. */
  readonly files: readonly ProjectFile[];
  /** The environment to work in; empty for the default one. */
  readonly environment: string;
  /** In the order of their names. */
  readonly variables: readonly Variable[];
}

const MAX_FILES = 64;
/** Of these three, the one in the upper file counts alone. */
const SOURCES = ['ref', 'composed', 'default'] as const;

/**
 * Returns null if no folder from `folder` up has a file. `given`: the environment that an option or a variable names; `usual`: the
 * one to take if the files name none. Throws CliError.
 */
export function loadProject(
  folder: string,
  given: string | undefined,
  usual: string | undefined,
): Project | null {
  const files = listFiles(folder);
  if (files.length === 0) return null;
  const environment =
    given ?? files.find((file) => file.environment !== undefined)?.environment ?? usual ?? '';
  const variables = mergeLayers(files.flatMap((file) => listLayers(file, environment)));
  checkCompositions(variables);
  return { files, environment, variables };
}

/** Those of the nearest folder, those that they extend, and those above, up to one that is a root. */
function listFiles(folder: string): ProjectFile[] {
  const files: ProjectFile[] = [];
  for (let at = folder; ; ) {
    const nearest = findNearestFiles(at);
    const read = nearest.map((path) => parseProjectFile(readProjectFile(path)));
    for (const file of read) addWithExtended(files, file, []);
    const found = nearest[0];
    if (found === undefined || read.some(({ isRoot }) => isRoot)) return files;
    const above = dirname(dirname(found));
    if (above === dirname(found)) return files;
    at = above;
  }
}

/** `way`: the files through which this one is extended. */
function addWithExtended(files: ProjectFile[], file: ProjectFile, way: readonly string[]): void {
  const path = realpathSync(file.path);
  if (way.includes(path)) throw usageError(`${file.path}: extends leads in a circle`);
  // A file that is extended twice counts where it is named first.
  if (files.some((other) => realpathSync(other.path) === path)) return;
  if (files.length >= MAX_FILES) throw usageError(`${file.path}: a project has ${MAX_FILES} files at most`);
  files.push(file);
  for (const extended of file.extends) {
    const text = readProjectFile(join(dirname(file.path), extended));
    addWithExtended(files, parseProjectFile(text), [...way, path]);
  }
}

/** What a file says in an environment, the upper layer first. */
function listLayers({ environments, secrets }: ProjectFile, environment: string): Declarations[] {
  const section = environments.get(environment);
  return section === undefined ? [secrets] : [section, secrets];
}

function mergeLayers(layers: readonly Declarations[]): Variable[] {
  const merged = new Map<string, Placed>();
  for (const layer of layers)
    for (const [name, placed] of layer) merged.set(name, putBelow(merged.get(name), placed));
  return [...merged]
    .map(([name, placed]) => ({ name, ...placed }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Adds what a lower layer says, where the upper ones say nothing. */
function putBelow(upper: Placed | undefined, lower: Placed): Placed {
  if (upper === undefined) return lower;
  const { ref, composed, default: usual, ...rest } = lower.said;
  const hasSource = SOURCES.some((source) => upper.said[source] !== undefined);
  const said: Declaration = hasSource ? { ...rest, ...upper.said } : { ...lower.said, ...upper.said };
  return { said, place: upper.place };
}

/** Throws CliError for a variable that nothing gives a value, and for one that is composed of itself or of an unknown one. */
function checkCompositions(variables: readonly Variable[]): void {
  const byName = new Map(variables.map((variable) => [variable.name, variable]));
  for (const variable of variables) {
    if (SOURCES.every((source) => variable.said[source] === undefined))
      throw usageError(`${variable.place}: ${variable.name} has no value; give it ref, composed or default`);
    follow(variable, byName, []);
  }
}

function follow(variable: Variable, byName: ReadonlyMap<string, Variable>, way: readonly string[]): void {
  const { name, place, said } = variable;
  if (way.includes(name))
    throw usageError(`${place}: ${name} is composed of itself, by ${[...way, name].join(', ')}`);
  for (const part of listNames(said.composed ?? [])) {
    const next = byName.get(part);
    if (next === undefined) throw explainUnknown(variable, part, [...byName.keys()]);
    follow(next, byName, [...way, name]);
  }
}

function explainUnknown({ name, place }: Variable, part: string, known: readonly string[]): Error {
  const close = findClose(part, known);
  const meant = close === null ? '' : `; did you mean ${close}?`;
  return usageError(`${place}: ${name} is composed of ${part}, which no file of the project has${meant}`);
}
