/**
 * Makes this process another program's: with execve, where the platform has it, so that process id, signals, standard
 * input and exit code are that program's own; elsewhere as a child that gets our signals and whose end becomes ours.
 * Whoever calls has closed all that must not be left open: nothing of ours runs afterwards.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CliError, type ExitCode } from './failure.ts';
import { EXIT_NOT_EXECUTABLE, findProgram } from './find-program.ts';

const SHELL = '/bin/sh';
/** Node ignores these, and what is ignored stays so in the next program; what has a handler is reset. */
const IGNORED_BY_NODE = ['SIGPIPE', 'SIGXFSZ'] as const;
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
];
/** A shell's way to say that a program was ended by a signal. */
const SIGNAL_EXIT = 128;

type Execve = (file: string, args: string[], env: NodeJS.ProcessEnv) => never;

/** Runs `command` with exactly this environment. Answers its exit code where it could only be a child. Throws CliError. */
export async function replaceProcess(command: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  const [name = ''] = command;
  const program = findProgram(name, env.PATH);
  const execve = process.execve as Execve | undefined;
  if (execve === undefined) return runAsChild(program, command, env);
  return become(execve, program, command, env);
}

function become(
  execve: Execve,
  program: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): ExitCode {
  const [name = '', ...args] = command;
  const { emitWarning } = process;
  // That execve is experimental would be said in the middle of the program's own output.
  process.emitWarning = () => {};
  for (const signal of IGNORED_BY_NODE) process.on(signal, ignore);
  try {
    return execve(program, [name, ...args], env);
  } catch (error) {
    // A script without a first line that names its interpreter is a shell's (XCU 2.9.1.4).
    if (isErrno(error, 'ENOEXEC')) tryShell(execve, program, args, env);
    throw explain(name, error);
  } finally {
    process.emitWarning = emitWarning;
    for (const signal of IGNORED_BY_NODE) process.off(signal, ignore);
  }
}

function tryShell(execve: Execve, program: string, args: string[], env: NodeJS.ProcessEnv): void {
  try {
    execve(SHELL, [SHELL, program, ...args], env);
  } catch {
    // Said of the program itself.
  }
}

function ignore(): void {}

/** Node gives an empty code to some of execve's errors. */
function isErrno(error: unknown, code: keyof typeof constants.errno): boolean {
  const { errno } = error as NodeJS.ErrnoException;
  return errno !== undefined && Math.abs(errno) === constants.errno[code];
}

function explain(name: string, error: unknown): CliError {
  if (isErrno(error, 'E2BIG'))
    return new CliError(
      EXIT_NOT_EXECUTABLE,
      'the variables and arguments are larger than this system allows a program; leave large values out (--only names those that you want)',
    );
  if (isErrno(error, 'ENOENT'))
    return new CliError(EXIT_NOT_EXECUTABLE, `${name}: its interpreter is not there`);
  const code = (error as NodeJS.ErrnoException).code || 'failed';
  return new CliError(EXIT_NOT_EXECUTABLE, `${name}: cannot be run (${code})`);
}

function runAsChild(
  program: string,
  [name = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { argv0: name, env, stdio: 'inherit' });
    const forward = (signal: NodeJS.Signals) => void child.kill(signal);
    for (const signal of FORWARDED) process.on(signal, forward);
    child.once('error', (error) => reject(explain(name, error)));
    child.once('exit', (code, signal) => {
      for (const one of FORWARDED) process.off(one, forward);
      resolve(code ?? SIGNAL_EXIT + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
