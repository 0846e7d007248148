/** Writes a file that only its owner may read: whole under another name, then renamed, so that no reader sees half of it. */
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CliError, EXIT } from './failure.ts';

/** What lies there already is replaced if it is a file of ours. Throws CliError. */
export function writePrivateFile(path: string, bytes: Uint8Array): void {
  checkReplaceable(path);
  const draft = join(dirname(path), `.${basename(path).slice(0, 100)}.${process.pid}.new`);
  try {
    writeDraft(draft, bytes);
    renameSync(draft, path);
  } catch (error) {
    throw new CliError(EXIT.failed, `${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Throws CliError for what must not be replaced: a link leads elsewhere, a device or another's file is not ours. */
export function checkReplaceable(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const problem = stat.isSymbolicLink()
    ? 'is a symbolic link; name the file that it leads to'
    : !stat.isFile()
      ? 'is there and is not a regular file'
      : stat.uid !== process.geteuid?.()
        ? 'belongs to another user'
        : null;
  if (problem !== null) throw new CliError(EXIT.failed, `${path} ${problem}; nothing was written`);
}

function writeDraft(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    fsyncSync(fd);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
