/**
 * Files for programs that take a secret by a path alone. They lie in a folder of this user's, on memory, and go when the program
 * ends, however it ends: mav becomes the program, so a small shell waits for the process and removes the folder.
 */
import { accessSync, constants, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, EXIT } from '../run/failure.ts';
import { startGuard } from './guard.ts';

export interface PrivateFile {
  /** Of the variable; the file is called so, too. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

const OWNER_ONLY = 0o600;
const ACCESS_BY_OTHERS = 0o077;
const PREFIX = 'mav-';

interface Written {
  readonly value: Buffer;
  readonly path: string;
}

/** The folder of this process; null before its first file. */
let folder: string | null = null;
/** What lies in it, by the names of the files. */
const written = new Map<string, Written>();

/**
 * Returns the paths, in the order of the files. A file whose value is the one before keeps its path, so that `mav watch` sees which
 * have changed. All go when this process, or the program that it becomes, has ended. Throws CliError.
 */
export function makePrivateFiles(files: readonly PrivateFile[]): string[] {
  folder ??= makeFolder();
  const inside = mkdtempSync(join(folder, '/'));
  return files.map(({ name, value }) => {
    const bytes = Buffer.from(value);
    const earlier = written.get(name);
    if (earlier?.value.equals(bytes)) return earlier.path;
    if (earlier !== undefined) rmSync(earlier.path, { force: true });
    const path = join(inside, name);
    writeFileSync(path, bytes, { mode: OWNER_ONLY, flag: 'wx' });
    written.set(name, { value: bytes, path });
    return path;
  });
}

/** mkdtemp(3): nobody else can enter it. */
function makeFolder(): string {
  const made = mkdtempSync(join(findMemory(), PREFIX));
  startGuard(process.pid, made);
  return made;
}

/** The session's own folder, or the memory that Linux has for every user. */
function findMemory(): string {
  const { XDG_RUNTIME_DIR: session } = process.env;
  if (session !== undefined && isPrivate(session)) return session;
  if (isWritable('/dev/shm')) return '/dev/shm';
  throw new CliError(
    EXIT.failed,
    'as_file needs a folder on memory, and there is none: set XDG_RUNTIME_DIR to a folder that only you can enter',
  );
}

function isPrivate(path: string): boolean {
  try {
    const { uid, mode } = statSync(path);
    return uid === process.geteuid?.() && (mode & ACCESS_BY_OTHERS) === 0 && isWritable(path);
  } catch {
    return false;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
