/** Commands in a working folder that was deleted: everything works except relative paths. */
import { isAbsolute } from 'node:path';
import type { Arguments } from '../run/arguments.ts';
import type { Command, Options } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';

const PATHS: readonly string[] = ['PATH', 'FILE', 'TEMPLATE'];
const VARIABLES = ['MAV_HOME', 'MAV_SOCKET'];
/** An argument that is a path, as the table of commands names it. */
const ONE_PATH = /^[<[](file|folder|file\|folder)[>\]]$/;
/** Any number of paths, and this folder for none. */
const ANY_PATHS = '[...paths]';

/** Throws CliError for a path that means nothing here. */
export function refuseRelativePaths(
  command: Command,
  options: Options,
  { args, values }: Arguments,
  env: NodeJS.ProcessEnv,
): void {
  for (const [name, given] of values)
    if (PATHS.includes(options[name]?.placeholder ?? ''))
      for (const path of given) refuseRelative(`--${name}`, path);
  for (const name of VARIABLES) refuseRelative(name, env[name] || '/');
  if (command.arguments === ANY_PATHS || ONE_PATH.test(command.arguments ?? ''))
    for (const path of args) refuseRelative('the path', path);
  if (command.arguments === ANY_PATHS && args.length === 0) throw explainDeleted('the folder to look in');
}

/** `-`: standard input or output. */
function refuseRelative(what: string, path: string | boolean): void {
  if (typeof path === 'string' && path !== '-' && !isAbsolute(path)) throw explainDeleted(what);
}

function explainDeleted(what: string): CliError {
  return new CliError(
    EXIT.failed,
    `the folder that this command was started in was deleted; give ${what} as an absolute path, or cd elsewhere`,
  );
}
