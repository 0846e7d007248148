/**
 * A file that only its owner may read, whole or not at all: written under another name, then renamed, so that no reader
 * sees half of it. A draft that is not finished goes away with the program, also when a signal ends it.
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describeSystemError } from '../../system/system-error.ts';
import { CliError, EXIT } from '../run/failure.ts';

const MODE = 0o600;
const OWNER_MAY_WRITE = 0o200;
/** A file's name may have 255 bytes. */
const MAX_NAME_PART = 100;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Replaces a file of this user that lies there already. Throws CliError. */
export function writePrivateFile(path: string, bytes: Uint8Array): void {
  const file = new PrivateFile(path);
  try {
    file.write(bytes);
    file.commit();
  } finally {
    file.discard();
  }
}

/** As writePrivateFile, for data that comes piece by piece. Call `discard` in any case. */
export class PrivateFile {
  readonly #path: string;
  readonly #draft: string;
  readonly #fd: number;
  #isOpen = true;
  readonly #onSignal = (signal: NodeJS.Signals) => {
    this.discard();
    process.exit(128 + constants.signals[signal]);
  };

  constructor(path: string) {
    checkReplaceable(path);
    this.#path = path;
    this.#draft = join(dirname(path), `.${basename(path).slice(0, MAX_NAME_PART)}.${process.pid}.new`);
    this.#fd = this.#attempt(() => openSync(this.#draft, 'wx', MODE));
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  write(piece: string | Uint8Array): void {
    this.#attempt(() => writeFileSync(this.#fd, piece));
  }

  /** Moves the file into its place. */
  commit(): void {
    this.#attempt(() => {
      fsyncSync(this.#fd);
      renameSync(this.#draft, this.#path);
    });
    this.#close();
  }

  /** Removes the draft; does nothing once it is in its place. */
  discard(): void {
    if (!this.#isOpen) return;
    rmSync(this.#draft, { force: true });
    this.#close();
  }

  #close(): void {
    this.#isOpen = false;
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    closeSync(this.#fd);
  }

  #attempt<T>(act: () => T): T {
    return attempt(this.#path, act);
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new CliError(EXIT.failed, `${path} cannot be written: ${describeSystemError(error)}`);
  }
}

/** Throws CliError for what must not be replaced: a link leads elsewhere, a device or another's file is not ours. */
export function checkReplaceable(path: string): void {
  const stat = attempt(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (stat === undefined) return;
  const problem = findProblem(stat);
  if (problem !== null) throw new CliError(EXIT.failed, `${path} ${problem}; nothing was written`);
}

function findProblem(stat: Stats): string | null {
  if (stat.isSymbolicLink()) return 'is a symbolic link; name the file that it leads to';
  if (stat.isDirectory()) return 'is a folder, name a file in it';
  if (!stat.isFile()) return 'is there and is not a regular file';
  if (stat.uid !== process.geteuid?.()) return 'belongs to another user';
  // Replacing a file needs no permission to write it. But its owner took that away to keep it as it is.
  return (stat.mode & OWNER_MAY_WRITE) === 0
    ? 'is write-protected (chmod u+w allows it to be replaced)'
    : null;
}

/** Whether both are there and are one file. */
export function isSameFile(one: string, other: string): boolean {
  try {
    const [first, second] = [statSync(one), statSync(other)];
    return first.dev === second.dev && first.ino === second.ino;
  } catch {
    return false;
  }
}
