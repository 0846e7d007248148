/** Running the service manager's programs: they speak for themselves, and this says only how they ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { quoteWord } from '../formats/shell-quote.ts';
import { CliError, EXIT } from '../run/failure.ts';
import type { Step } from './service.ts';

const RETRIES = 5;
const RETRY_AFTER_MS = 1_000;
const STDERR = 2;
/** A shell's exit code for a program that a signal ended, without the signal's number. */
const SIGNALLED = 128;

/** Runs the steps one after the other. Returns the exit code of the first that failed, or 0. */
export async function runSteps(steps: readonly Step[]): Promise<number> {
  for (const step of steps) {
    const exitCode = await runStep(step);
    if (exitCode !== 0 && !step.mayFail) return exitCode;
  }
  return 0;
}

async function runStep(step: Step): Promise<number> {
  for (let retries = step.mayNeedTime ? RETRIES : 0; ; retries--) {
    // Their output is not data, so it goes to standard error. That of a step that may fail is left out.
    const exitCode = await runProgram(step, step.mayFail ? 'ignore' : STDERR);
    if (exitCode === 0 || retries === 0) return exitCode;
    await sleep(RETRY_AFTER_MS);
  }
}

/** Runs the step with its output as that of mav. Returns its exit code. */
export function passThrough(step: Step): Promise<number> {
  return runProgram(step, 'inherit');
}

/** Runs the step without showing its output. Returns whether it succeeded. */
export async function stepSucceeds(step: Step): Promise<boolean> {
  return (await runProgram(step, 'ignore')) === 0;
}

/** Throws CliError if the program cannot be started. */
async function runProgram({ argv }: Step, output: 'ignore' | 'inherit' | number): Promise<number> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    stdio: ['ignore', output, output === 'inherit' ? 'inherit' : output],
  });
  try {
    const [exitCode] = await once(child, 'close');
    return exitCode ?? SIGNALLED;
  } catch {
    throw new CliError(EXIT.failed, `${program} cannot be run: is it installed, and on PATH?`);
  }
}

/** A step as a line for a POSIX shell. */
export function writeStep({ argv, mayFail }: Step): string {
  return `${argv.map(quoteWord).join(' ')}${mayFail ? ' || true' : ''}`;
}
