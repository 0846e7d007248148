/**
 * The hard deadline behind everything else: a thread that does nothing but look once a second whether the request thread
 * still lives, and whether the daemon has ended when it was to. Else it ends the process with a signal that nothing can
 * hold up, and the kernel drops the owner's lock with it. The request thread cannot do that to itself: it may be what is
 * stuck, in a loop or in a system call on a disk that does not answer.
 */
import { Worker } from 'node:worker_threads';

/** The request thread beats once a second. */
const BEAT_MS = 1_000;
/** No request takes it a fraction of that; whoever waits for it so long is served by nobody. */
const STUCK_SECONDS = 15;

/** Where the shared numbers lie. */
const BEATS = 0;
const SECONDS_TO_STOP = 1;
/** Never changes: waiting for it is how the thread sleeps. */
const NOTHING = 2;
const COUNT = 3;

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

export class Watchdog {
  readonly #shared = new Int32Array(new SharedArrayBuffer(COUNT * Int32Array.BYTES_PER_ELEMENT));

  private constructor() {}

  /** Where the system has no thread to give there is none, which is reported. */
  static start(report: (event: 'warning', detail: string) => void): Watchdog {
    const watchdog = new Watchdog();
    const tell = () => report('warning', 'the thread that ends a stuck daemon cannot run');
    try {
      new Worker(PROGRAM, {
        eval: true,
        env: {},
        resourceLimits: HEAP_MB,
        workerData: watchdog.#shared.buffer,
      })
        .on('error', tell)
        .unref();
      setInterval(() => Atomics.add(watchdog.#shared, BEATS, 1), BEAT_MS).unref();
    } catch {
      tell();
    }
    return watchdog;
  }

  /** From now on the process has so long to end. */
  endWithin(seconds: number): void {
    Atomics.store(this.#shared, SECONDS_TO_STOP, seconds);
  }
}
