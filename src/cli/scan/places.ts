/** Where a scan looks: files and folders, standard input, or what git's index has staged. */

import { closeSync, openSync, readSync } from 'node:fs';
import { findWords } from '../../system/system-error.ts';
import type { Input } from '../run/command.ts';
import { Progress } from '../terminal/progress.ts';
import { Findings, showPath } from './findings.ts';
import { type ListOptions, listFiles } from './listed-files.ts';
import type { BlobReceiver } from './staged-blobs.ts';
import type { Search, ValueMatcher } from './value-matcher.ts';
import type { ValueOwner } from './watched-values.ts';

const PIECE_SIZE = 2 * 1_048_576;
/** How standard input is called in what is printed. */
const STANDARD_INPUT = '-';
/** A fetch runs what the repository's configuration names: that is for the user to decide. */
const NOTHING_FETCHED =
  "mav has nothing fetched; 'git diff --cached' does, if you trust what this repository's configuration runs";

export interface ScanResult {
  readonly findings: Findings;
  /** How many were looked through. */
  readonly files: number;
  /** What could not be looked through, a sentence each. */
  readonly problems: readonly string[];
}

export type Scan = (matcher: ValueMatcher<ValueOwner>, input: Input) => Promise<ScanResult>;

export const scanFiles: Scan = async (matcher, input) => {
  const { args, flag } = input;
  const progress = new Progress(input);
  const findings = new Findings();
  const problems: string[] = [];
  const onProblem: ListOptions['onProblem'] = (path, code) =>
    problems.push(
      `${showPath(path.toString())} cannot be read (${code}): ${findWords(code) ?? 'the system refuses'}`,
    );
  const piece = Buffer.allocUnsafeSlow(PIECE_SIZE);
  const list = () => listPlaces(args, { all: flag('all'), onProblem });
  // Counted first only where somebody looks: there may be very many.
  const paths = progress.isShown ? [...list()] : null;
  let [files, looked] = [0, 0];
  for (const path of paths ?? list()) {
    const code = readPieces(path, piece, startSearch(matcher, findings, path.toString()));
    if (code === null) files += 1;
    else onProblem(path, code);
    looked += 1;
    if (paths !== null) progress.showCount('Scanning files', looked, paths.length);
  }
  progress.end();
  return { findings, files, problems };
};

/** Each file once: two of the places may have it. */
function* listPlaces(args: readonly string[], options: ListOptions): Generator<Buffer> {
  const seen = new Set<string>();
  for (const place of args.length === 0 ? ['.'] : args) {
    for (const path of listFiles(Buffer.from(place), options)) {
      const key = path.toString('latin1');
      if (!seen.has(key)) yield path;
      seen.add(key);
    }
  }
}

function startSearch(
  matcher: ValueMatcher<ValueOwner>,
  findings: Findings,
  path: string,
): Search<ValueOwner> {
  return matcher.start((found) => findings.add(path, found));
}

/** Null, or the system's code if the file cannot be read to its end. */
function readPieces(path: Buffer, piece: Buffer, search: Search<ValueOwner>): string | null {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    for (let size = readSync(file, piece); size > 0; size = readSync(file, piece))
      search.add(piece.subarray(0, size));
    search.end();
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'failed';
  } finally {
    if (file !== null) closeSync(file);
  }
}

export const scanStandardInput: Scan = async (matcher) => {
  const findings = new Findings();
  const search = startSearch(matcher, findings, STANDARD_INPUT);
  for await (const chunk of process.stdin) search.add(chunk);
  search.end();
  return { findings, files: 1, problems: [] };
};

/** Scans what is staged, or of that the paths given. Findings are named from the top of the work tree. */
export const scanStaged: Scan = async (matcher, input) => {
  const { args } = input;
  const progress = new Progress(input);
  const { listStaged, readBlobs } = await import('./staged-blobs.ts');
  const findings = new Findings();
  const staged = listStaged(args);
  const searches = staged.map(({ path }) => startSearch(matcher, findings, path));
  const lacking: string[] = [];
  const receiver: BlobReceiver = {
    add: (index, piece) => searches[index]?.add(piece),
    end: (index) => {
      searches[index]?.end();
      progress.showCount('Scanning staged files', index + 1, staged.length);
    },
    lack: (index) => lacking.push(describeLacking(staged[index]?.path ?? '')),
  };
  const ids = staged.map(({ id }) => id);
  await readBlobs(ids, receiver);
  progress.end();
  return {
    findings,
    files: staged.length - lacking.length,
    problems: lacking.length === 0 ? [] : [...lacking, NOTHING_FETCHED],
  };
};

function describeLacking(path: string): string {
  return `${showPath(path)} was not looked through: git does not have what is staged, or not all of it`;
}
