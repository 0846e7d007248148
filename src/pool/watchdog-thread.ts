/** The thread behind src/daemon/watchdog.ts, which ends a stuck process. */
import { Worker } from 'node:worker_threads';

/** The request thread beats once a second. */
export const BEAT_MS = 1_000;
/** The request thread is stuck after this time. No request takes it a fraction of that. */
const STUCK_SECONDS = 15;

/** Indexes of the shared numbers. */
export const BEATS = 0;
export const SECONDS_TO_STOP = 1;
/** Never changes. The thread sleeps by waiting for it. */
const NOTHING = 2;
export const COUNT = 3;

/**
 * Given as text, so that it needs no file. Counts seconds by how often the thread has slept, so none pass while the whole
 * process is stopped or the machine sleeps.
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

/** With these limits the thread takes 5 MB of memory, as measured. */
const HEAP_MB = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/** `onFail` is called if the thread cannot be started, or ends. */
export function startWatchdog(shared: SharedArrayBuffer, onFail: () => void): void {
  try {
    new Worker(PROGRAM, { eval: true, env: {}, execArgv: [], resourceLimits: HEAP_MB, workerData: shared })
      .on('error', onFail)
      .unref();
  } catch {
    onFail();
  }
}
