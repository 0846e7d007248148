/** `mav project types ts`: declares the variables of a project for TypeScript, as Node's `process.env` has them. */
import type { Variable } from '../project/load-project.ts';
import { requireProject } from '../project/require-project.ts';
import type { Run } from '../run/command.ts';
import { EXIT, usageError } from '../run/failure.ts';

export const run: Run = async (input) => {
  if (input.args[0] !== 'ts')
    throw usageError('mav project types takes ts, which is the only language so far');
  const members = requireProject(input).variables.map(declare);
  const lines = ['declare namespace NodeJS {', '  interface ProcessEnv {', ...members.flat(), '  }', '}'];
  input.context.print(['// Made by mav project types ts.', ...lines].join('\n'));
  return EXIT.done;
};

function declare({ name, said }: Variable): string[] {
  const about = said.description?.replaceAll(/\s+/g, ' ').replaceAll('*/', '*\\/');
  const comment = about === undefined ? [] : [`    /** ${about} */`];
  const isOptional = said.required === false && said.default === undefined;
  return [...comment, `    readonly ${name}${isOptional ? '?' : ''}: string;`];
}
