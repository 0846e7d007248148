/**
 * Whether the files that the program was started from are still the ones that lie there. An upgrade puts others in their
 * place; a thread that is started from those would not be of this program.
 */
import { type BigIntStats, statSync } from 'node:fs';

export class ProgramFiles {
  readonly #files: ReadonlyMap<URL, string>;
  #isReplaced = false;

  constructor(files: readonly URL[]) {
    this.#files = new Map(files.map((file) => [file, identify(file)]));
  }

  /** Stays so once it was so. */
  isReplaced(): boolean {
    this.#isReplaced ||= [...this.#files].some(([file, identity]) => identify(file) !== identity);
    return this.#isReplaced;
  }
}

/** Not by the time of change, which a backup or a link may alter. */
function identify(file: URL): string {
  try {
    const { dev, ino, size, mtimeNs }: BigIntStats = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch {
    return 'gone';
  }
}
