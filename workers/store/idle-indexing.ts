/** Brings the search index up to date while the writer has little else to do. Needs no key: search texts are plaintext. */

/** Delay after the first write that left something to index. */
const FIRST_DELAY_MS = 100;
/** How many secrets are indexed at once. Each takes about 20 µs, and a write that arrives meanwhile waits. */
const IDLE_SLICE = 1_000;
const BUSY_SLICE = 100;
/** While clients write, a pause of this many times the time that a slice took follows it. */
const BUSY_SHARE = 20;

export class IdleIndexing {
  readonly #index: (limit: number) => boolean;
  #timer: NodeJS.Timeout | null = null;
  #isBusy = false;

  /** `index` indexes up to `limit` secrets and returns whether more may be left. */
  constructor(index: (limit: number) => boolean) {
    this.#index = index;
  }

  /** Call it after everything that may leave something to index. */
  noteWrite(): void {
    this.#isBusy = true;
    if (this.#timer === null) this.#schedule(FIRST_DELAY_MS);
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => this.#run(), delayMs).unref();
  }

  #run(): void {
    this.#timer = null;
    const wasBusy = this.#isBusy;
    this.#isBusy = false;
    const start = performance.now();
    if (!this.#tryIndex(wasBusy ? BUSY_SLICE : IDLE_SLICE)) return;
    this.#schedule(wasBusy ? BUSY_SHARE * (performance.now() - start) : 0);
  }

  /** Returns whether more may be left. */
  #tryIndex(limit: number): boolean {
    try {
      return this.#index(limit);
    } catch {
      // The disk may be full. A search reads the texts that are not indexed, and the next write is the next attempt.
      return false;
    }
  }
}
