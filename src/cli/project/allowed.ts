/**
 * Which projects the user has allowed, each with what its files said then. They are asked for where a project names an environment
 * that the user protects, or is used without being asked for: whoever can push to a repository could otherwise have its
 * secrets given to what that repository runs.
 */
import { hash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTrustedFile, UNSECRET } from '../../places/trusted-places.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import type { Project } from './load-project.ts';
import { listReferences } from './resolve-variables.ts';

export interface AllowedProject {
  /** Of its nearest file. */
  readonly path: string;
  /** SHA-256 of the paths and contents of all its files, in hexadecimal digits. */
  readonly digest: string;
}

const LIST = 'allowed-projects.json';
const MAX_SIZE = 1_048_576;

/** Changes with every character of every file of the project. */
export function digestProject({ files }: Project): AllowedProject {
  const parts = files.map(({ path, toml }) => [path, toml]);
  return { path: files[0]?.path ?? '', digest: hash('sha256', JSON.stringify(parts)) };
}

/** Throws CliError if the project names a protected environment and was not allowed as it is now. */
export function checkAllowed(input: Input, project: Project): void {
  const isProtected = (environment: string) => input.protectedEnvironments.includes(environment);
  const named = listReferences(project).find(({ environment }) => isProtected(environment))?.environment;
  if (named === undefined || isAllowed(input, project)) return;
  const { path } = digestProject(project);
  const known = readAllowed(input).some((allowed) => allowed.path === path);
  const why = known ? 'it was changed since you allowed it' : 'you have not allowed it';
  throw new CliError(
    EXIT.notAllowed,
    `${path} names the environment ${JSON.stringify(named)}, which is protected, and ${why}; read it, then: mav allow`,
  );
}

export function isAllowed(input: Input, project: Project): boolean {
  const { path, digest } = digestProject(project);
  return readAllowed(input).some((allowed) => allowed.path === path && allowed.digest === digest);
}

/** Throws CliError if the list cannot be trusted. */
export function readAllowed(input: Input): AllowedProject[] {
  const path = locateList(input);
  const bytes = readTrustedFile(path, UNSECRET, MAX_SIZE);
  if (bytes === null) return [];
  try {
    const { projects } = JSON.parse(bytes.toString()) as { projects: AllowedProject[] };
    return projects.map(({ path, digest }) => ({ path: String(path), digest: String(digest) }));
  } catch {
    throw new CliError(
      EXIT.failed,
      `${path} is damaged; remove it, and allow your projects again: mav allow`,
    );
  }
}

/** Puts the list in the place of the one before, whole or not at all. */
export function writeAllowed(input: Input, projects: readonly AllowedProject[]): void {
  const path = locateList(input);
  const draft = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(draft, `${JSON.stringify({ projects }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Beside the list of known vaults, outside of every vault and of every project. */
function locateList({ home }: Input): string {
  return join(dirname(home.knownVaultsPath), LIST);
}
