/**
 * Slows down the guessing of passphrases and recovery codes: attempts are made one after the other, and after some wrong ones in
 * a row each begins later than the one before. Nothing else waits for them: no other request, and no attempt of the vault's own
 * key stores. It matters for a program that has the session's token. Somebody who has a copy of vault.db is slowed down by
 * Argon2id alone, and by the 256 bits of a code.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Number of wrong attempts that cost no time: a person mistypes. */
const FREE_ATTEMPTS = 3;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
/** The most attempts that wait for their turn. */
const MAX_WAITING = 8;

/** Returns how long the next attempt has to wait after so many wrong ones in a row, in milliseconds. */
export function delayAfter(wrong: number): number {
  return wrong < FREE_ATTEMPTS ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (wrong - FREE_ATTEMPTS));
}

export class KeyAttempts {
  /** Settles when the last attempt in the queue has ended. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #wrong = 0;
  #notBeforeMs = 0;
  readonly #ending = new AbortController();

  /**
   * Runs `attempt` when it has its turn and returns its result; null if it was not run, because too many wait or the daemon
   * ends. `judge` says of a result whether the secret was right; null: it does not tell.
   */
  async take<T>(attempt: () => Promise<T>, judge: (result: T) => boolean | null): Promise<T | null> {
    if (this.#waiting === MAX_WAITING || this.#ending.signal.aborted) return null;
    this.#waiting += 1;
    const running = this.#last.then(() => this.#run(attempt, judge));
    this.#last = running.catch(() => {});
    try {
      return await running;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #run<T>(attempt: () => Promise<T>, judge: (result: T) => boolean | null): Promise<T | null> {
    const { signal } = this.#ending;
    const waitMs = this.#notBeforeMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return null;
    const result = await attempt();
    this.#note(judge(result));
    return result;
  }

  #note(isRight: boolean | null): void {
    if (isRight === null) return;
    this.#wrong = isRight ? 0 : this.#wrong + 1;
    this.#notBeforeMs = performance.now() + delayAfter(this.#wrong);
  }

  /** Lets go of the attempts that wait. None is run any more. */
  end(): void {
    this.#ending.abort();
  }
}
