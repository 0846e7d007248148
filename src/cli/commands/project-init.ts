/** `mav project init`: makes a mav.toml in the working folder, with the variables that another program's file names. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeSystemError } from '../../system/system-error.ts';
import { LOCAL_FILE, PROJECT_FILE } from '../project/find-files.ts';
import { readForeignFile } from '../project/foreign-files.ts';
import { formatProjectFile } from '../project/format-file.ts';
import type { Run } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';

const READABLE = 0o644;

export const run: Run = async (input) => {
  const { text, context } = input;
  const folder = process.cwd();
  const from = text('from');
  const found = from === undefined ? [] : readForeignFile(from);
  const path = join(folder, PROJECT_FILE);
  create(path, formatProjectFile(basename(folder), found));
  const count =
    from === undefined ? '' : `, with the ${found.length} variables of ${from} and none of its values`;
  context.say(`Made ${path}${count}.`);
  if (isInGit(folder) && ignoreLocalFile(folder)) context.say(`Added ${LOCAL_FILE} to .gitignore.`);
  context.say('Next: mav project check');
  return EXIT.done;
};

/** Throws CliError if there is one already. */
function create(path: string, content: string): void {
  try {
    // Everybody who has the repository may read it: it has no value.
    writeFileSync(path, content, { flag: 'wx', mode: READABLE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CliError(EXIT.failed, `${path} is there already; nothing was changed`);
    throw new CliError(EXIT.failed, `${path} cannot be written: ${describeSystemError(error)}`);
  }
}

function isInGit(folder: string): boolean {
  return existsSync(join(folder, '.git')) || (folder !== dirname(folder) && isInGit(dirname(folder)));
}

/** Returns false if it is ignored already. */
function ignoreLocalFile(folder: string): boolean {
  const path = join(folder, '.gitignore');
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (before.split(/\r?\n/).includes(LOCAL_FILE)) return false;
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  writeFileSync(path, `${before}${separator}${LOCAL_FILE}\n`);
  return true;
}
