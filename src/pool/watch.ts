/** The second half of src/daemon/watchdog.ts, which ends a stuck process. It runs on another thread than the one it watches. */

/** The request thread beats once a second. */
export const BEAT_MS = 1_000;
/** The request thread is stuck after this time. No request takes it a fraction of that. */
const STUCK_SECONDS = 15;

/** Indexes of the shared numbers. */
export const BEATS = 0;
export const SECONDS_TO_STOP = 1;
export const COUNT = 2;

/**
 * Looks at the shared numbers once a second from now on. Counts seconds by how often it has looked, so none pass while the whole
 * process is stopped or the machine sleeps.
 */
export function watch(shared: SharedArrayBuffer): void {
  const numbers = new Int32Array(shared);
  let [lastBeat, stuckFor, stoppingFor] = [-1, 0, 0];
  setInterval(() => {
    const beat = Atomics.load(numbers, BEATS);
    stuckFor = beat === lastBeat ? stuckFor + 1 : 0;
    lastBeat = beat;
    const toStop = Atomics.load(numbers, SECONDS_TO_STOP);
    if (toStop > 0) stoppingFor += 1;
    if (stuckFor >= STUCK_SECONDS || (toStop > 0 && stoppingFor >= toStop))
      process.kill(process.pid, 'SIGKILL');
  }, BEAT_MS);
}
