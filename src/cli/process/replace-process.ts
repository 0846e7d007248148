/**
 * Makes this process another program's: with execve, where the platform has it, so that process id, signals, standard
 * input and exit code are that program's own; elsewhere it runs as a child. The caller has closed all that must not stay
 * open: none of this program's code runs afterwards.
 */
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { hasSignal, type Started } from '../../system/started.ts';
import { returnToDeletedFolder } from '../../system/working-folder.ts';
import type { ExitCode } from '../run/failure.ts';
import { mayFailToStart } from './executable.ts';
import { findProgram } from './find-program.ts';
import { restoreState, type Wanted } from './process-state.ts';
import { explainStart, isErrno, runAsChild } from './run-as-child.ts';

const SHELL = '/bin/sh';
/** Before this one, execve aborts the process when it fails, with all that is in its memory (nodejs/node#62878). */
const OLDEST_THROWING_NODE = 26;
/** Node ignores these, and what is ignored stays so in the next program; what has a handler is reset. */
const IGNORED_BY_NODE = ['SIGPIPE', 'SIGXFSZ'] as const;

type Execve = (file: string, args: string[], env: NodeJS.ProcessEnv) => never;

/**
 * Runs `command` with exactly this environment, and with what this process was started with. Returns the exit code if
 * the program could only run as a child. Throws CliError.
 */
export async function replaceProcess(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  wanted: Wanted,
): Promise<ExitCode> {
  returnToDeletedFolder();
  const [name = ''] = command;
  const program = findProgram(name, env.PATH);
  const execve = process.execve as Execve | undefined;
  const mayThrow = Number.parseInt(process.versions.node, 10) >= OLDEST_THROWING_NODE;
  if (execve === undefined || (!mayThrow && mayFailToStart(program, command, env)))
    return runAsChild(program, command, env, wanted.inherited);
  // Only a child can have descriptors that cannot be kept open.
  if (!restoreState(wanted)) return runAsChild(program, command, env, wanted.inherited);
  return executeProgram(execve, program, command, env, wanted.started);
}

function executeProgram(
  execve: Execve,
  program: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  started: Started | null,
): ExitCode {
  const [name = '', ...args] = command;
  const reset = IGNORED_BY_NODE.filter((name) => !hasSignal(started?.ignored ?? 0n, constants.signals[name]));
  const { emitWarning } = process;
  // Node would print that execve is experimental in the middle of the program's output.
  process.emitWarning = () => {};
  for (const signal of reset) process.on(signal, ignoreSignal);
  makeBlocking();
  try {
    return execve(program, [name, ...args], env);
  } catch (error) {
    // A script without a first line that names its interpreter is a shell's (XCU 2.9.1.4).
    if (isErrno(error, 'ENOEXEC')) tryShell(execve, program, args, env);
    throw explainStart(name, error, env);
  } finally {
    process.emitWarning = emitWarning;
    for (const signal of reset) process.off(signal, ignoreSignal);
  }
}

function tryShell(execve: Execve, program: string, args: string[], env: NodeJS.ProcessEnv): void {
  try {
    execve(SHELL, [SHELL, program, ...args], env);
  } catch {
    // The caller reports the error of the program itself.
  }
}

function ignoreSignal(): void {}

/** Node's internal handle, which has no public API. */
type Handled = { readonly _handle?: { readonly setBlocking?: (isBlocking: boolean) => void } };

/**
 * Node makes pipes and terminals non-blocking as soon as it opens a stream on them, which threads of a pool already do,
 * and they would stay so: most programs lose output then. Node's own end, which undoes it, never comes.
 */
function makeBlocking(): void {
  // Standard input is only ever opened to ask somebody.
  const opened = [process.stdout, process.stderr, ...(isatty(0) ? [process.stdin] : [])];
  for (const stream of opened) (stream as Handled)._handle?.setBlocking?.(true);
}
