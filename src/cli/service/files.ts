/** The service's files on disk: written whole or not at all, and never in place of a file that mav did not write. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { explainNoFolder, makeFolders } from '../../places/make-folders.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { MARKER, type ServiceFile } from './service.ts';

/** Readable by all: systemd and launchd expect that. */
const MODE = 0o644;

/** Throws CliError, and has changed nothing then, if one of the places is taken by something that is not ours. */
export function writeServiceFiles(files: readonly ServiceFile[]): void {
  countServiceFiles(files);
  for (const file of files) writeServiceFile(file);
}

/** Throws CliError, and has removed nothing then, if one of them is not ours. Of the links, only links are removed. */
export function removeServiceFiles(files: readonly ServiceFile[], links: readonly string[]): void {
  countServiceFiles(files);
  for (const { path } of files) rmSync(path, { force: true });
  for (const path of links)
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(path, { force: true });
}

/** How many of them are there. Throws CliError if one is not ours. */
export function countServiceFiles(files: readonly ServiceFile[]): number {
  return files.filter(({ path }) => findOurs(path)).length;
}

/** Throws CliError if there is nothing to start, stop or ask about. */
export function checkInstalled(files: readonly ServiceFile[]): void {
  if (countServiceFiles(files) === files.length) return;
  throw new CliError(EXIT.failed, 'the service is not installed; install it: mav service install');
}

/** Whether a file of ours lies there. Throws CliError if something else does. */
function findOurs(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (stat.isFile() && readFileSync(path, 'utf8').includes(MARKER)) return true;
  throw new CliError(EXIT.failed, `${path} is there and was not written by mav; move it away first`);
}

function writeServiceFile({ path, content }: ServiceFile): void {
  makeFolder(dirname(path));
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const descriptor = openSync(draft, 'wx', MODE);
  try {
    writeFileSync(descriptor, content);
    fchmodSync(descriptor, MODE);
    fsyncSync(descriptor);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Throws CliError. */
function makeFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    throw new CliError(EXIT.failed, `the folder ${path} cannot be made: ${explainNoFolder(error)}`);
  }
}
