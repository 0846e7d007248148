/**
 * Has the log erased when the writer comes to rest, so that what was deleted or replaced is in no file of the vault's folder
 * a second later. Holds no secret.
 */

/** So long without a write is rest. */
const QUIET_MS = 300;
/** Where there is no rest, it is erased between two writes after this. */
const LONGEST_MS = 5_000;
/** After a reader was in the way. */
const RETRY_MS = 100;

export class IdleErasing {
  readonly #erase: () => boolean;
  #timer: NodeJS.Timeout | null = null;
  #firstAtMs = 0;
  #lastAtMs = 0;

  /** `erase` returns whether the log is empty now. */
  constructor(erase: () => boolean) {
    this.#erase = erase;
  }

  /** To be called after whatever may have written. */
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

  /** Also true after an error, a full disk perhaps: the next write is the next attempt. */
  #tryToErase(): boolean {
    try {
      return this.#erase();
    } catch {
      return true;
    }
  }
}
