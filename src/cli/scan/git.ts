/**
 * Runs git in repositories that another user may have made. No program that a repository's configuration names is started,
 * and nothing is fetched.
 */
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { describeSystemError } from '../../system/system-error.ts';
import { CliError, EXIT } from '../run/failure.ts';

/** Options on the command line win over a repository's configuration. */
const SAFE_OPTIONS: readonly string[] = [
  '--no-pager',
  '--no-optional-locks',
  // The contents that a commit would have, and no other object in their place.
  '--no-replace-objects',
  ...['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'safe.bareRepository=explicit'].flatMap(
    (setting) => ['-c', setting],
  ),
];
/**
 * A repository may say that objects are missing, and which program fetches them. Versions of git that do not know the
 * first variable start the fetch; by the second no transport is allowed in it, whatever `protocol.*.allow` says.
 */
const NO_FETCH = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' };
const MAX_OUTPUT_SIZE = 2 ** 30;
/** A hook's: they say which repository is meant, whatever folder one asks about. */
const REPOSITORY_VARIABLES = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX'];

/** Returns what git prints, or null if it fails or is missing. `folder`: bytes, as file names are. */
export function askGit(folder: Buffer, args: readonly string[]): Buffer | null {
  const env = { ...process.env };
  for (const name of REPOSITORY_VARIABLES) delete env[name];
  // Node takes a string here, so git does not find a folder whose name is not UTF-8.
  const { status, stdout } = spawnGit(args, env, folder.toString());
  return status === 0 ? stdout : null;
}

/**
 * What git prints about the repository of the working directory, or of the hook that this runs in. Throws CliError,
 * with `problem` where git fails.
 */
export function runGit(args: readonly string[], problem: string): Buffer {
  const { status, stdout, error } = spawnGit(args, process.env, '.');
  if (error !== undefined)
    throw new CliError(EXIT.failed, `git cannot be run: ${describeSystemError(error)}`);
  if (status !== 0) throw new CliError(EXIT.failed, problem);
  return stdout;
}

function spawnGit(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): SpawnSyncReturns<Buffer> {
  return spawnSync('git', [...SAFE_OPTIONS, ...args], {
    cwd,
    env: { ...env, ...NO_FETCH },
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: MAX_OUTPUT_SIZE,
    encoding: 'buffer',
  });
}

/** As runGit, with its standard input and output left open. */
export function startGit(args: readonly string[]): ChildProcess {
  return spawn('git', [...SAFE_OPTIONS, ...args], {
    env: { ...process.env, ...NO_FETCH },
    stdio: ['pipe', 'pipe', 'ignore'],
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
