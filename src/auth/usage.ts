/** When tokens were last used. A request notes it in memory; it is written in batches, which no request waits for. */

export class TokenUsage {
  #lastUsed = new Map<string, number>();

  note(tokenId: string, nowMs: number): void {
    this.#lastUsed.set(tokenId, Math.floor(nowMs / 1000));
  }

  /** Returns what is not written yet as the parameters of a `tokens.touch` call (id to Unix seconds); null if nothing. */
  take(): Record<string, string> | null {
    if (this.#lastUsed.size === 0) return null;
    const params = Object.fromEntries([...this.#lastUsed].map(([id, usedAt]) => [id, String(usedAt)]));
    this.#lastUsed = new Map();
    return params;
  }
}
