/**
 * The hard deadline behind everything else: a thread that does nothing but look once a second whether the request thread
 * still lives, and whether the daemon has ended when it was to. Else it ends the process with a signal that nothing can
 * hold up, and the kernel drops the owner's lock with it. The request thread cannot do that to itself: it may be what is
 * stuck, in a loop or in a system call on a disk that does not answer.
 */
import { startWatching } from '../pool/keeper-link.ts';
import { BEAT_MS, BEATS, COUNT, SECONDS_TO_STOP } from '../pool/watchdog-thread.ts';

export class Watchdog {
  readonly #shared = new Int32Array(new SharedArrayBuffer(COUNT * Int32Array.BYTES_PER_ELEMENT));

  private constructor() {}

  /** Where the system has no thread to give there is none, which is reported. */
  static start(report: (event: 'warning', detail: string) => void): Watchdog {
    const watchdog = new Watchdog();
    const tell = () => report('warning', 'the thread that ends a stuck daemon cannot run');
    startWatching(watchdog.#shared.buffer, tell);
    setInterval(() => Atomics.add(watchdog.#shared, BEATS, 1), BEAT_MS).unref();
    return watchdog;
  }

  /** From now on the process has so long to end. */
  endWithin(seconds: number): void {
    Atomics.store(this.#shared, SECONDS_TO_STOP, seconds);
  }
}
