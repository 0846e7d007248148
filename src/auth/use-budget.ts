/**
 * Counts the uses of tokens that may be used only so often. The writer stores some uses as spent before the first of them is
 * answered, and this thread hands them out: a read then waits for no sync, and after a crash no use is there twice. What was
 * reserved and not used by then is lost.
 */

/** The most uses that one reservation takes. */
const MAX_RESERVED = 100;
/** At most this share of a token's uses can be lost in a crash. */
const SHARE = 1 / 20;

/** Stores up to `count` uses of a token as spent, and resolves with how many there were; a negative count gives some back. */
export type Reserve = (tokenId: string, count: number) => Promise<number>;

export class UseBudget {
  readonly #reserve: Reserve;
  readonly #left = new Map<string, number>();
  readonly #pending = new Map<string, Promise<void>>();

  constructor(reserve: Reserve) {
    this.#reserve = reserve;
  }

  /** Resolves with false if the token has no uses left. */
  async take(tokenId: string, maxUses: number): Promise<boolean> {
    while ((this.#left.get(tokenId) ?? 0) === 0) {
      const isMore = await this.#reserveOnce(tokenId, maxUses);
      if (!isMore && (this.#left.get(tokenId) ?? 0) === 0) return false;
    }
    this.#left.set(tokenId, (this.#left.get(tokenId) ?? 0) - 1);
    return true;
  }

  /** Requests that come together wait for one reservation. Resolves with whether it got any uses. */
  async #reserveOnce(tokenId: string, maxUses: number): Promise<boolean> {
    const known = this.#pending.get(tokenId);
    if (known !== undefined) {
      await known;
      return true;
    }
    const count = Math.min(MAX_RESERVED, Math.max(1, Math.floor(maxUses * SHARE)));
    let granted = 0;
    const pending = this.#reserve(tokenId, count).then((uses) => {
      granted = uses;
      this.#left.set(tokenId, (this.#left.get(tokenId) ?? 0) + uses);
    });
    this.#pending.set(tokenId, pending);
    try {
      await pending;
    } finally {
      this.#pending.delete(tokenId);
    }
    return granted > 0;
  }

  /** Gives back what was reserved and not used, before the daemon stops. What cannot be given back is lost, as in a crash. */
  async release(): Promise<void> {
    const left = [...this.#left].filter(([, uses]) => uses > 0);
    this.#left.clear();
    // A token may have been revoked since.
    await Promise.allSettled(left.map(([tokenId, uses]) => this.#reserve(tokenId, -uses)));
  }
}
