/**
 * What a short command takes from its start to its end, beside `node -e 0` on the same Node: in pairs, one right after
 * the other, so that the ratio holds whatever the machine does meanwhile.
 */
import { spawnSync } from 'node:child_process';

export interface StartupResult {
  /** Milliseconds, the median of all runs. */
  readonly commandMs: number;
  readonly nodeMs: number;
  /** The median of the pairs' ratios. */
  readonly ratio: number;
}

/** Runs `args` under this Node `pairs` times. Throws Error if one of the runs fails. */
export function measureStartup(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  pairs: number,
): StartupResult {
  // Not counted: the first run of each finds nothing in the system's caches.
  measure(args, env);
  measure(['-e', '0'], env);
  const results = Array.from({ length: pairs }, () => ({
    commandMs: measure(args, env),
    nodeMs: measure(['-e', '0'], env),
  }));
  return {
    commandMs: median(results.map(({ commandMs }) => commandMs)),
    nodeMs: median(results.map(({ nodeMs }) => nodeMs)),
    ratio: median(results.map(({ commandMs, nodeMs }) => commandMs / nodeMs)),
  };
}

function measure(args: readonly string[], env: NodeJS.ProcessEnv): number {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) throw new Error(`node ${args.join(' ')} failed`);
  return performance.now() - startedAt;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
