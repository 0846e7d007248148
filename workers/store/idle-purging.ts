/** Purges deleted secrets whose time is over, beside the requests. */

/** How often the writer looks for them: a secret stays at most this much longer. */
const PERIOD_MS = 3_600_000;
/** After this pause the next transaction follows, so that requests come between them. */
const PAUSE_MS = 50;
/** The most secrets that one transaction purges. A write that arrives meanwhile waits. */
const SLICE = 50;

export class IdlePurging {
  readonly #purge: (limit: number) => boolean;
  #timer: NodeJS.Timeout | null = null;

  /** `purge` purges up to `limit` secrets and returns whether more may be left. */
  constructor(purge: (limit: number) => boolean) {
    this.#purge = purge;
  }

  /** Call it when the vault is open. Later calls change nothing. */
  start(): void {
    if (this.#timer === null) this.#schedule(PAUSE_MS);
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => this.#run(), delayMs).unref();
  }

  #run(): void {
    this.#schedule(this.#tryToPurge() ? PAUSE_MS : PERIOD_MS);
  }

  /** Returns whether more may be left. */
  #tryToPurge(): boolean {
    try {
      return this.#purge(SLICE);
    } catch {
      // The disk may be full. The next period is the next attempt.
      return false;
    }
  }
}
