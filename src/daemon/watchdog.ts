/**
 * The hard deadline behind everything else: another thread looks once a second whether the request thread still runs, and
 * whether the daemon has ended in time. If not, it ends the process with a signal that nothing can hold up, and the kernel
 * drops the owner's lock. The request thread cannot do that to itself: it may itself be stuck, in a loop or in a system call
 * on a disk that does not respond.
 */
import { startWatching } from '../pool/keeper-link.ts';
import { BEAT_MS, BEATS, COUNT, SECONDS_TO_STOP } from '../pool/watch.ts';

export class Watchdog {
  readonly #shared = new Int32Array(new SharedArrayBuffer(COUNT * Int32Array.BYTES_PER_ELEMENT));

  private constructor() {}

  /** Reports it if the system has no thread to give; then there is no watchdog. */
  static start(report: (event: 'warning', detail: string) => void): Watchdog {
    const watchdog = new Watchdog();
    const tell = () => report('warning', 'the thread that ends a stuck daemon cannot run');
    startWatching(watchdog.#shared.buffer, tell);
    setInterval(() => Atomics.add(watchdog.#shared, BEATS, 1), BEAT_MS).unref();
    return watchdog;
  }

  /** Ends the process after `seconds`, unless it has ended by then. */
  endWithin(seconds: number): void {
    Atomics.store(this.#shared, SECONDS_TO_STOP, seconds);
  }
}
