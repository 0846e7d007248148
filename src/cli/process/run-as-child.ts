/** Runs a program as a child that has our terminal, gets our signals, and whose end becomes ours. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { CliError, type ExitCode } from '../run/failure.ts';
import { EXIT_NOT_EXECUTABLE } from './find-program.ts';
import type { Descriptor } from './inherited-descriptors.ts';

export const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
];
/** A terminal sends these to all of its programs, the child too. */
export const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];
/** A shell adds the signal's number to this for a program that a signal ended. */
export const SIGNAL_EXIT = 128;

/** Returns its exit code. Throws CliError if it does not start. */
export function runAsChild(
  program: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  inherited: readonly Descriptor[] = [],
): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    const isTerminal = isatty(0);
    const forward = (signal: NodeJS.Signals) => {
      if (!(isTerminal && FROM_TERMINAL.includes(signal))) child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const child = startChild(program, command, env, inherited);
    child.once('error', (error) => reject(explainStart(command[0] ?? '', error, env)));
    child.once('exit', (code, signal) => {
      for (const one of FORWARDED) process.off(one, forward);
      resolve(exitCodeOf(code, signal));
    });
  });
}

/** Returns the exit code that a shell would give for a program's end. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): ExitCode {
  return code ?? SIGNAL_EXIT + (signal === null ? 0 : constants.signals[signal]);
}

/** `isDetached`: it gets a session and a process group of its own. Throws CliError. */
export function startChild(
  program: string,
  [name = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  inherited: readonly Descriptor[],
  isDetached = false,
): ChildProcess {
  const numbers = [0, 1, 2, ...inherited.map(({ number }) => number)];
  const stdio: (number | 'ignore')[] = Array(Math.max(...numbers) + 1).fill('ignore');
  for (const number of numbers) stdio[number] = number;
  try {
    return spawn(program, args, { argv0: name, env, stdio, detached: isDetached });
  } catch (error) {
    // spawn throws some failures and emits others.
    throw explainStart(name, error, env);
  }
}

/** Why a program did not start, with a shell's exit code. */
export function explainStart(name: string, error: unknown, env: NodeJS.ProcessEnv): CliError {
  if (isErrno(error, 'E2BIG'))
    return new CliError(
      EXIT_NOT_EXECUTABLE,
      `the variables and arguments are larger than this system allows; ${findLargest(env)} is the largest (--except leaves one out)`,
    );
  if (isErrno(error, 'ENOENT'))
    return new CliError(EXIT_NOT_EXECUTABLE, `${name}: its interpreter is not there`);
  const code = (error as NodeJS.ErrnoException).code || 'failed';
  return new CliError(EXIT_NOT_EXECUTABLE, `${name}: cannot be run (${code})`);
}

/** Node gives an empty code to some of execve's errors. */
export function isErrno(error: unknown, code: keyof typeof constants.errno): boolean {
  const { errno } = error as NodeJS.ErrnoException;
  return errno !== undefined && Math.abs(errno) === constants.errno[code];
}

function findLargest(env: NodeJS.ProcessEnv): string {
  const sizes = Object.entries(env).map(([name, value = '']) => ({ name, size: Buffer.byteLength(value) }));
  return sizes.sort((one, other) => other.size - one.size)[0]?.name ?? 'none';
}
