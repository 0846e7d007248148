/** The thread behind src/daemon/watchdog.ts, which ends a stuck process. */
import { Worker } from 'node:worker_threads';

/** The request thread beats once a second. */
export const BEAT_MS = 1_000;
/** No request takes it a fraction of that; whoever waits for it so long is served by nobody. */
const STUCK_SECONDS = 15;

/** Where the shared numbers lie. */
export const BEATS = 0;
export const SECONDS_TO_STOP = 1;
/** Never changes: waiting for it is how the thread sleeps. */
const NOTHING = 2;
export const COUNT = 3;

/**
 * Given as text, so that it needs no file. Seconds are counted by how often the thread has slept: while the whole process
 * is stopped, or the machine sleeps, none pass.
 */
const PROGRAM = `
const shared = new Int32Array(require('node:worker_threads').workerData);
let lastBeat = -1, stuckFor = 0, stoppingFor = 0;
for (;;) {
  Atomics.wait(shared, ${NOTHING}, 0, ${BEAT_MS});
  const beat = Atomics.load(shared, ${BEATS});
  stuckFor = beat === lastBeat ? stuckFor + 1 : 0;
  lastBeat = beat;
  const toStop = Atomics.load(shared, ${SECONDS_TO_STOP});
  if (toStop > 0) stoppingFor += 1;
  if (stuckFor >= ${STUCK_SECONDS} || (toStop > 0 && stoppingFor >= toStop)) process.kill(process.pid, 'SIGKILL');
}`;

/** Measured with these: 5 MB of memory. */
const HEAP_MB = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/** `onFail`: there is no thread to have, or it ended. */
export function startWatchdog(shared: SharedArrayBuffer, onFail: () => void): void {
  try {
    new Worker(PROGRAM, { eval: true, env: {}, execArgv: [], resourceLimits: HEAP_MB, workerData: shared })
      .on('error', onFail)
      .unref();
  } catch {
    onFail();
  }
}
