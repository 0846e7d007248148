/**
 * Tells whether the files that the program was started from have been replaced. An upgrade puts other files in their place,
 * and a thread that is started from those would not belong to this program.
 */
import { type BigIntStats, statSync } from 'node:fs';

/** How long a result is reused: looking costs more than the rest of a health check. */
const PAUSE_MS = 100;

export class ProgramFiles {
  readonly #files: ReadonlyMap<URL, string>;
  #isReplaced = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(files: readonly URL[]) {
    this.#files = new Map(files.map((file) => [file, identify(file)]));
  }

  /** As `isReplaced`, but may be late by a tenth of a second. */
  wasReplaced(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < PAUSE_MS) return this.#isReplaced;
    this.#lookedAtMs = nowMs;
    return this.isReplaced();
  }

  /** Once true, it stays true. */
  isReplaced(): boolean {
    this.#isReplaced ||= [...this.#files].some(([file, identity]) => identify(file) !== identity);
    return this.#isReplaced;
  }
}

/** Leaves out the time of the last status change, which a backup or a link may alter. */
function identify(file: URL): string {
  try {
    const { dev, ino, size, mtimeNs }: BigIntStats = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch {
    return 'gone';
  }
}
