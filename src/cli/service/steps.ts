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
/** What a shell answers for a program that a signal has ended. */
const SIGNALLED = 128;

/** Runs the steps one after the other; answers the exit code of the first that failed, or 0. */
export async function runSteps(steps: readonly Step[]): Promise<number> {
  for (const step of steps) {
    const exitCode = await runStep(step);
    if (exitCode !== 0 && !step.mayFail) return exitCode;
  }
  return 0;
}

async function runStep(step: Step): Promise<number> {
  for (let retries = step.mayNeedTime ? RETRIES : 0; ; retries--) {
    // What they say is no data of ours; what may fail is no news.
    const exitCode = await runProgram(step, step.mayFail ? 'ignore' : STDERR);
    if (exitCode === 0 || retries === 0) return exitCode;
    await sleep(RETRY_AFTER_MS);
  }
}

/** With its output as ours. Answers the exit code. */
export function passThrough(step: Step): Promise<number> {
  return runProgram(step, 'inherit');
}

/** Whether it succeeds; its output is nobody's business. */
export async function succeeds(step: Step): Promise<boolean> {
  return (await runProgram(step, 'ignore')) === 0;
}

/** Throws CliError if there is no such program. */
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
