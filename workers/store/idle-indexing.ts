/**
 * Brings the search index up to date while the writer has little else to do. Holds no secret. It needs no key either:
 * search texts are stored in the clear.
 */

/** After the first write that left something to index. */
const FIRST_DELAY_MS = 100;
/** How many secrets at once; one takes about 20 us, and a write that comes meanwhile waits. */
const IDLE_SLICE = 1_000;
const BUSY_SLICE = 100;
/** While others write, they get this many times the time that indexing takes. */
const BUSY_SHARE = 20;

export class IdleIndexing {
  readonly #index: (limit: number) => boolean;
  #timer: NodeJS.Timeout | null = null;
  #isBusy = false;

  /** `index` indexes up to so many secrets, and answers whether any are left. */
  constructor(index: (limit: number) => boolean) {
    this.#index = index;
  }

  /** To be called after whatever may leave something to index. */
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

  /** Whether there is more to do. */
  #tryIndex(limit: number): boolean {
    try {
      return this.#index(limit);
    } catch {
      // A full disk, perhaps. Searches look through what is not indexed, and the next write is the next attempt.
      return false;
    }
  }
}
