/** The variables for a program or a shell: those of the project whose folder the user is in, or those that the options choose. */

import type { Input } from '../run/command.ts';
import { collectVariables } from '../variables/collect-variables.ts';
import type { Variable } from '../variables/variables.ts';
import { withVault } from '../vault/access.ts';
import { findNearestFiles } from './find-files.ts';

/** Options that choose secrets themselves, so that a project's file has no say. */
const CHOOSING = ['no-project', 'env-file', 'only', 'except', 'filter', 'prefix', 'allow-empty'] as const;

export interface ProgramWishes {
  /** The most bytes that `NAME=value` may have. */
  readonly maxSize: number;
  /** Whether there will be a program, and not a shell or a file. */
  readonly hasProgram: boolean;
  readonly access?: typeof withVault;
}

/** Throws CliError, and hands out nothing, if something that was asked for by name cannot be had. */
export async function collectProgramVariables(
  input: Input,
  { access = withVault, ...wishes }: ProgramWishes,
): Promise<readonly Variable[]> {
  if (!usesProject(input)) return collectVariables(input, wishes.maxSize, access);
  const { collectProject, openProject } = await import('./collect-project.ts');
  const project = openProject(input);
  if (project === null) return collectVariables(input, wishes.maxSize, access);
  return collectProject(input, project, wishes, access);
}

/** Whether a project's file decides, as far as the options go and a file is there. */
export function usesProject({ flag }: Input): boolean {
  return !CHOOSING.some((option) => flag(option)) && findNearestFiles(process.cwd()).length > 0;
}
