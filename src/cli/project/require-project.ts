/** The project that a command is about. */
import { basename, dirname, resolve } from 'node:path';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { openProject } from './collect-project.ts';
import { PROJECT_FILE } from './find-files.ts';
import type { Project } from './load-project.ts';

/** Throws CliError if no folder from the working one up has a file of a project. */
export function requireProject(input: Input): Project {
  const project = openProject(input);
  if (project !== null) return project;
  throw new CliError(
    EXIT.notFound,
    `neither ${process.cwd()} nor a folder above it has a ${PROJECT_FILE}; make one: mav project init`,
  );
}

/** The name of the folder in which the project's nearest file lies. */
export function nameProject({ files }: Project): string {
  return basename(dirname(resolve(files[0]?.path ?? '.')));
}
