/** `--print`: what a command would write and run, and nothing of it done. */
import type { Context } from '../run/context.ts';
import type { ServiceFile, Step } from './service.ts';
import { writeStep } from './steps.ts';

/** Each file below its path, as a comment. */
export function printFiles({ print }: Context, files: readonly ServiceFile[]): void {
  for (const { path, content } of files) print(`# ${path}\n${content}`);
}

export function printSteps({ print }: Context, steps: readonly Step[]): void {
  for (const step of steps) print(writeStep(step));
}

/** As a step, for what this program does by itself. */
export function removalStep(paths: readonly string[]): Step {
  return { argv: ['rm', '-f', ...paths] };
}
