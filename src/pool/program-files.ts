/**
 * Tells whether the files that the program was started from have been replaced. An upgrade puts other files in their place,
 * and a thread that is started from those would not belong to this program.
 */
import { type BigIntStats, statSync } from 'node:fs';

export class ProgramFiles {
  readonly #files: ReadonlyMap<URL, string>;
  #isReplaced = false;

  constructor(files: readonly URL[]) {
    this.#files = new Map(files.map((file) => [file, identify(file)]));
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
