/** Runs git. What a repository's own configuration says to run for a listing is not run. */
import { type SpawnSyncOptions, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { describeSystemError } from '../system-error.ts';
import { CliError, EXIT } from './failure.ts';

/** No monitor of the repository's choice is started. */
export const SAFE_OPTIONS = ['-c', 'core.fsmonitor=false'] as const;
const MAX_OUTPUT_SIZE = 2 ** 30;
/** A hook's: they say which repository is meant, whatever folder one asks about. */
const REPOSITORY_VARIABLES = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX'];

/** What git prints; null if it fails or there is no git. `folder`: bytes, as file names are. */
export function askGit(folder: Buffer, args: readonly string[]): Buffer | null {
  const env = { ...process.env };
  for (const name of REPOSITORY_VARIABLES) delete env[name];
  // Node takes no bytes here; a name that is no UTF-8 is then no place that git knows.
  const { status, stdout } = run(args, { cwd: folder.toString(), env });
  return status === 0 ? stdout : null;
}

/** What git prints about the repository of the working directory, or of the hook that this runs in. Throws CliError. */
export function runGit(args: readonly string[]): Buffer {
  const { status, stdout, error } = run(args, {});
  if (error !== undefined)
    throw new CliError(EXIT.failed, `git cannot be run: ${describeSystemError(error)}`);
  if (status !== 0) throw new CliError(EXIT.failed, 'git failed; is this folder in a git work tree?');
  return stdout;
}

function run(args: readonly string[], options: SpawnSyncOptions): SpawnSyncReturns<Buffer> {
  return spawnSync('git', [...SAFE_OPTIONS, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: MAX_OUTPUT_SIZE,
    encoding: 'buffer',
  });
}

/** The parts of a list that ends each with a NUL. */
export function splitByNul(list: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < list.length; ) {
    const end = list.indexOf(0, at);
    parts.push(list.subarray(at, end < 0 ? list.length : end));
    at = end < 0 ? list.length : end + 1;
  }
  return parts;
}
