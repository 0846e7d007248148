/** Warnings that one who floods the daemon could bring about at will: they must not flood the log too. */

/** Tells one, with what it is about in words. */
export type Warn = (text: string) => void;

const PAUSE_MS = 60_000;

/** As `warn`, but the same words once a minute at most. */
export function warnSeldom(warn: Warn): Warn {
  const lastMs = new Map<string, number>();
  return (text) => {
    const nowMs = performance.now();
    if (nowMs - (lastMs.get(text) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return;
    lastMs.set(text, nowMs);
    warn(text);
  };
}
