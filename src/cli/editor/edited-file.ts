/**
 * A text in a file that only this user can read, while another program works on it. Everything in the file's folder,
 * what that program left there included, is overwritten and removed afterwards.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface EditedFile {
  readonly path: string;
  readonly folder: string;
}

/** In memory where the user has a runtime folder, else in the folder for temporary files. */
export function createEditedFile({ XDG_RUNTIME_DIR }: NodeJS.ProcessEnv, text: Uint8Array): EditedFile {
  const base = XDG_RUNTIME_DIR && isFolder(XDG_RUNTIME_DIR) ? XDG_RUNTIME_DIR : tmpdir();
  // 0700, as mkdtemp makes it.
  const folder = mkdtempSync(join(base, 'mav-edit-'));
  const path = join(folder, 'value.txt');
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    wipeFolder(folder);
    throw error;
  }
  return { path, folder };
}

/** Returns null if the program has removed the file. */
export function readEditedFile({ path }: EditedFile): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** May be called more than once. */
export function wipeFolder(folder: string): void {
  for (const path of listFiles(folder)) overwriteFile(path);
  rmSync(folder, { recursive: true, force: true });
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

/** Overwrites a file as far as its file system allows. A file that cannot be overwritten is removed all the same. */
function overwriteFile(path: string): void {
  try {
    const file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      writeSync(file, Buffer.alloc(fstatSync(file).size));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch {
    // The file is removed in any case.
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
