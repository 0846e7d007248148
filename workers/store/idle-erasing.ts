/**
 * Has the log erased when the writer comes to rest. About a second after a row was deleted or replaced, no file of the vault's
 * folder has the old row.
 */

/** The writer is at rest when it has not written for this long. */
const QUIET_MS = 300;
/** A writer that never rests has the log erased between two writes after this time. */
const LONGEST_MS = 5_000;
/** Delay of the next attempt after a reader kept the log from being erased. */
const RETRY_MS = 100;

export class IdleErasing {
  readonly #erase: () => boolean;
  #timer: NodeJS.Timeout | null = null;
  /** When the first write came that the log may still have. */
  #firstAtMs = 0;
  #lastAtMs = 0;

  /** `erase` returns whether the log is empty now. */
  constructor(erase: () => boolean) {
    this.#erase = erase;
  }

  /** Call it after everything that may have written. */
  noteWrite(): void {
    this.#lastAtMs = performance.now();
    if (this.#timer !== null) return;
    this.#firstAtMs = this.#lastAtMs;
    this.#schedule(QUIET_MS);
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => this.#run(), delayMs).unref();
  }

  #run(): void {
    this.#timer = null;
    const nowMs = performance.now();
    const quietInMs = this.#lastAtMs + QUIET_MS - nowMs;
    if (quietInMs > 0 && nowMs - this.#firstAtMs < LONGEST_MS) this.#schedule(quietInMs);
    else if (!this.#tryToErase()) this.#schedule(RETRY_MS);
  }

  /** Returns true after an error, too (the disk may be full): the next write is the next attempt. */
  #tryToErase(): boolean {
    try {
      return this.#erase();
    } catch {
      return true;
    }
  }
}
