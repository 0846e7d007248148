/**
 * Slows down the guessing of tokens, and reports it: after some wrong tokens in a row the refusals are held back, each
 * longer than the one before. A request with a valid token is never held up, so guessing cannot lock the owner out. What
 * keeps a token from being guessed is its 256 random bits.
 */
import { type Warn, warnSeldom } from '../log/rate-limited-warning.ts';

/** Number of wrong tokens that are refused without delay: a program that still has an old token is not an attack. */
const FREE_GUESSES = 20;
/** How many wrong tokens are forgotten each second while no refusal is held back. */
const FORGOTTEN_PER_SECOND = 10;
const FIRST_DELAY_MS = 5;
/** Number of guesses after which a refusal takes twice as long. */
const GUESSES_PER_DOUBLING = 16;
const MAX_DELAY_MS = 5_000;
/** Largest number of refusals held back at once. Each takes memory and keeps a connection open. */
const MAX_HELD = 1_000;

/** Number of guesses that have the longest delay. More are not counted, so that an attack is soon forgotten. */
const MAX_COUNTED = FREE_GUESSES + GUESSES_PER_DOUBLING * Math.log2(MAX_DELAY_MS / FIRST_DELAY_MS);

/** Counts recent wrong tokens. Times are in milliseconds, of one clock that never goes back. */
export class GuessCount {
  #count = 0;
  /** No guess is forgotten before this time; else a client that waits for each refusal would never wait longer. */
  #heldUntilMs = 0;

  /** Counts a guess. Returns for how many milliseconds its refusal is to be held back. */
  add(nowMs: number): number {
    const calmMs = Math.max(0, nowMs - this.#heldUntilMs);
    const remaining = Math.max(0, this.#count - (calmMs / 1000) * FORGOTTEN_PER_SECOND);
    this.#count = Math.min(remaining + 1, MAX_COUNTED);
    const delayMs = delayAfter(this.#count);
    this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + delayMs);
    return delayMs;
  }

  forget(): void {
    this.#count = 0;
  }
}

function delayAfter(guesses: number): number {
  const excess = guesses - FREE_GUESSES;
  return excess <= 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (excess / GUESSES_PER_DOUBLING));
}

/** Holds back the refusals of wrong tokens, each for as long as the count says. */
export class GuessLimit {
  readonly #count = new GuessCount();
  readonly #report: Warn;
  /** The functions that let go of the refusals held back now. */
  readonly #held = new Set<() => void>();
  #isOver = false;

  /** `report` is called, at most once a minute, when refusals are held back. */
  constructor(report: Warn) {
    this.#report = warnSeldom(report);
  }

  /**
   * Counts a wrong token. Resolves with true when the token may be refused: after the delay, or as soon as `onGone` calls
   * its listener, because the client has gone away. Resolves with false, at once, if too many are held back already.
   */
  async holdBack(onGone: (listener: () => void) => void): Promise<boolean> {
    const delayMs = this.#count.add(performance.now());
    if (delayMs === 0 || this.#isOver) return true;
    this.#report('many wrong tokens were presented; their refusals are held back');
    if (this.#held.size >= MAX_HELD) return false;
    await this.#hold(delayMs, onGone);
    return true;
  }

  #hold(delayMs: number, onGone: (listener: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const letGo = () => {
        clearTimeout(timer);
        this.#held.delete(letGo);
        resolve();
      };
      const timer = setTimeout(letGo, delayMs);
      this.#held.add(letGo);
      onGone(letGo);
    });
  }

  /** Forgets all guesses, because the principals have changed: a token that was wrong before may be right now. */
  forget(): void {
    this.#count.forget();
  }

  /** Lets go of all refusals and holds back no more, because the daemon is stopping. */
  end(): void {
    this.#isOver = true;
    for (const letGo of [...this.#held]) letGo();
  }
}
