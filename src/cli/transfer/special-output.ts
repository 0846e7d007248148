/**
 * Outputs that are not files: descriptors by their path (/dev/stdout, /dev/fd/5), FIFOs, terminals and other character
 * devices. They are written in place: if a file replaced them, their readers would wait for ever.
 */
import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { describeSystemError } from '../../system/system-error.ts';
import { escapeData } from '../../text/escape-controls.ts';
import { findInherited } from '../process/inherited-descriptors.ts';
import { CliError, EXIT } from '../run/failure.ts';

const DESCRIPTOR = /^\/(?:dev\/(?:(stdin|stdout|stderr)|fd\/(\d{1,9}))|proc\/(?:self|\d+)\/fd\/(\d{1,9}))$/;
const STANDARD = ['stdin', 'stdout', 'stderr'];
/** How long to wait for a reader of a pipe that does not block. */
const PAUSE_MS = 5;

export class SpecialOutput {
  readonly #path: string;
  /** null: the path is opened when it is first written to, because opening a FIFO waits for its reader. */
  #fd: number | null;
  readonly #isOurs: boolean;
  /** Whether what is written is shown on a screen. */
  readonly isTerminal: boolean;

  private constructor(path: string, descriptor: number | null) {
    this.#path = path;
    this.#fd = descriptor;
    this.#isOurs = descriptor === null;
    this.isTerminal = descriptor === null ? isTerminal(path) : isatty(descriptor);
  }

  /** Returns null for a file, and for a path where nothing lies yet. */
  static find(path: string): SpecialOutput | null {
    const [, name, ...numbers] = DESCRIPTOR.exec(path) ?? [];
    const number = numbers.find((one) => one !== undefined);
    if (name !== undefined) return new SpecialOutput(path, STANDARD.indexOf(name));
    // Not opened again: it would have another position, and a socket cannot be.
    if (number !== undefined) return new SpecialOutput(path, checkInherited(path, Number(number)));
    return isSpecial(path) ? new SpecialOutput(path, null) : null;
  }

  /** Writes all bytes. Returns false if the reader has gone away. Throws CliError. */
  write(bytes: Uint8Array): boolean {
    try {
      this.#fd ??= openSync(this.#path, constants.O_WRONLY | constants.O_NOCTTY);
      const shown = this.isTerminal ? Buffer.from(escapeData(Buffer.from(bytes).toString())) : bytes;
      for (let done = 0; done < shown.length; ) done += writeSome(this.#fd, shown.subarray(done));
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'ECONNRESET') return false;
      throw new CliError(EXIT.failed, `${this.#path} cannot be written: ${describeSystemError(error)}`);
    }
  }

  /** Writes all bytes and closes what was opened. A reader that goes away is not an error. */
  writeAll(bytes: Uint8Array): void {
    try {
      this.write(bytes);
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.#isOurs && this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** Refuses Node's own descriptors, which a user cannot mean. Throws CliError. */
function checkInherited(path: string, number: number): number {
  if (number <= 2 || findInherited().some((one) => one.number === number)) return number;
  throw new CliError(EXIT.failed, `${path} cannot be written: no such descriptor was handed to this program`);
}

function isSpecial(path: string): boolean {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat !== undefined && (stat.isFIFO() || stat.isCharacterDevice());
  } catch {
    // The error is reported when the path is written as a file.
    return false;
  }
}

function isTerminal(path: string): boolean {
  if (!statSync(path).isCharacterDevice()) return false;
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      return isatty(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

function writeSome(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    return 0;
  }
}
