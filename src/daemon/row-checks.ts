/** Has all rows compared with their set MAC in the background, each time that the vault was unsealed. */
import type { ChangedRows } from '../../workers/messages.ts';
import type { CallResult } from '../call-result.ts';
import { WORKER_DIED } from '../pool/batch.ts';

/** How long after unsealing a check begins: the first requests come first. */
const START_MS = 2_000;
const AGAIN_MS = 30_000;

export interface FoundChange extends ChangedRows {
  readonly foundAtMs: number;
}

interface Means {
  readonly check: () => Promise<CallResult>;
  /** Takes up what a check found. */
  readonly apply: (result: CallResult) => void;
  readonly isUnsealed: () => boolean;
}

export class RowChecks {
  readonly #means: Means;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #changed: FoundChange | null = null;

  constructor(means: Means) {
    this.#means = means;
  }

  /** What the last check found changed; null if nothing, or none has ended. */
  get changed(): FoundChange | null {
    return this.#changed;
  }

  noteUnsealed(): void {
    this.#checkIn(START_MS);
  }

  /** No check begins any more, and one that is under way reports nothing. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #checkIn(delayMs: number): void {
    if (this.#isOver) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), delayMs).unref();
  }

  /** Tries again if the thread ended meanwhile, but not if the vault was sealed. */
  async #check(): Promise<void> {
    const result = await this.#means.check();
    if (this.#isOver || !this.#means.isUnsealed()) return;
    if (result === WORKER_DIED) this.#checkIn(AGAIN_MS);
    else this.#take(result);
  }

  #take(result: CallResult): void {
    if (result.ok) {
      const found = Buffer.from(result.body).toString();
      this.#changed = found === '' ? null : { ...(JSON.parse(found) as ChangedRows), foundAtMs: Date.now() };
    }
    this.#means.apply(result);
  }
}
