/**
 * The files that a scan of a folder looks into: all of them but git's own. In a git work tree those that git tracks or
 * would track, unless all are wanted. Links are not followed. Names are bytes: not each of them is UTF-8.
 */
import { type Dirent, lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { askGit, splitByNul } from './git.ts';

export interface ListOptions {
  /** Those too that git ignores. */
  readonly all: boolean;
  /** Called with a place that cannot be read, and the system's code. */
  readonly onProblem: (path: Buffer, code: string) => void;
}

const GIT = '.git';
const SEPARATOR = Buffer.from('/');
const HERE = Buffer.from('.');

/** `path` itself may be a link. */
export function* listFiles(path: Buffer, options: ListOptions): Generator<Buffer> {
  const stat = readStats(path, statSync, options);
  if (stat === null) return;
  if (!stat.isDirectory()) yield path;
  else if (!options.all && isInWorkTree(path)) yield* listTracked(path, options);
  else yield* walkFolder(path, options);
}

/** A folder that git ignores is looked into when it is asked for by its name. */
function isInWorkTree(folder: Buffer): boolean {
  const inside = askGit(folder, ['rev-parse', '--is-inside-work-tree']);
  return inside?.toString().trim() === 'true' && askGit(folder, ['check-ignore', '-q', '.']) === null;
}

function* listTracked(folder: Buffer, options: ListOptions): Generator<Buffer> {
  const list = askGit(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  if (list === null) return yield* walkFolder(folder, options);
  const seen = new Set<string>();
  for (const name of splitByNul(list)) {
    // A name of which a merge left several versions is listed with each.
    const key = name.toString('latin1');
    if (seen.has(key)) continue;
    seen.add(key);
    yield* listOne(joinPath(folder, name), options);
  }
}

/** A submodule, or a repository inside of this one, is listed as a folder; what was deleted is listed, too. */
function* listOne(path: Buffer, options: ListOptions): Generator<Buffer> {
  const stat = readStats(path, lstatSync, { ...options, onProblem: ignoreAbsent(options) });
  if (stat?.isDirectory()) yield* walkFolder(path, options);
  else if (stat?.isFile()) yield path;
}

function ignoreAbsent({ onProblem }: ListOptions): ListOptions['onProblem'] {
  return (path, code) => {
    if (code !== 'ENOENT' && code !== 'ENOTDIR') onProblem(path, code);
  };
}

function* walkFolder(folder: Buffer, options: ListOptions): Generator<Buffer> {
  const entries = readFolder(folder, options);
  if (!options.all && entries.some(({ name }) => name.equals(Buffer.from(GIT))) && isInWorkTree(folder))
    return yield* listTracked(folder, options);
  for (const entry of entries) {
    if (entry.name.equals(Buffer.from(GIT))) continue;
    const path = joinPath(folder, entry.name);
    if (entry.isDirectory()) yield* walkFolder(path, options);
    else if (entry.isFile()) yield path;
  }
}

function readFolder(folder: Buffer, { onProblem }: ListOptions): Dirent<Buffer>[] {
  try {
    return readdirSync(folder, { encoding: 'buffer', withFileTypes: true });
  } catch (error) {
    onProblem(folder, codeOf(error));
    return [];
  }
}

function readStats(path: Buffer, read: (path: Buffer) => Stats, { onProblem }: ListOptions): Stats | null {
  try {
    return read(path);
  } catch (error) {
    onProblem(path, codeOf(error));
    return null;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'failed';
}

function joinPath(folder: Buffer, name: Buffer): Buffer {
  if (folder.equals(HERE)) return name;
  return folder.at(-1) === SEPARATOR[0]
    ? Buffer.concat([folder, name])
    : Buffer.concat([folder, SEPARATOR, name]);
}
