/** Limits warnings that a client can cause at will, so that a flood of requests does not flood the log too. */

/** Reports a warning, in words. */
export type Warn = (text: string) => void;

const PAUSE_MS = 60_000;

/** Returns a function that calls `warn`, but with the same text at most once a minute. */
export function warnSeldom(warn: Warn): Warn {
  const lastMs = new Map<string, number>();
  return (text) => {
    const nowMs = performance.now();
    if (nowMs - (lastMs.get(text) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return;
    lastMs.set(text, nowMs);
    warn(text);
  };
}
