/**
 * How the daemon ends, after a signal or an error that was not caught. Everything that was set up is taken down, each step in
 * a bounded time; then the process ends, even if a step has not ended.
 */
import { within } from '../deadline.ts';
import type { Log } from '../log/log.ts';
import type { Libc } from './libc.ts';
import type { Watchdog } from './watchdog.ts';

export const STOP_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR2'] as const;

const FROM_TERMINALS: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT'];
const SAME_SIGNAL_MS = 500;

/** How long taking everything down may take. Requests under way have 5 s of it. */
const TAKE_DOWN_MS = 8_000;
/** How long a step may take that comes after that time. */
const LAST_STEP_MS = 200;
/** After this time the watchdog ends the process. */
const END_SECONDS = 10;
const NOW_SECONDS = 3;
const NOW_TAKE_DOWN_MS = 1_000;
const LAST_ANSWER_MS = 200;
/** Node's own exit waits for threads. After this time the kernel ends the process. */
const EXIT_SECONDS = 2;

/** How to take down what has been set up so far, in the order of setting up. */
export type Teardown = (() => void | Promise<void>)[];

export interface EndingOptions {
  readonly log: Log;
  readonly libc: Libc | null;
  readonly watchdog: Watchdog;
  /** Signals that the daemon was started to ignore, as `nohup` does. */
  readonly ignored: readonly NodeJS.Signals[];
}

export class Ending {
  readonly teardown: Teardown = [];
  readonly #options: EndingOptions;
  #isUnderWay = false;
  #takeDownMs = TAKE_DOWN_MS;
  #beganAtMs = 0;
  readonly #hurry = new AbortController();

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** Aborted when the daemon stops waiting for requests under way. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  /** Listens for signals and errors. */
  listen(): void {
    const { ignored } = this.#options;
    for (const signal of ignored) process.on(signal, () => {});
    for (const signal of STOP_SIGNALS)
      if (!ignored.includes(signal)) process.on(signal, () => this.#noteSignal(signal));
    for (const kind of ['uncaughtException', 'unhandledRejection'] as const)
      process.on(kind, (error: unknown) => this.begin(describeUnforeseen(error), 1));
    process.once('beforeExit', () => this.begin('nothing is left to do', 1));
  }

  /** A second signal makes the end quick, unless it is the first one again: a terminal and npm send each signal twice. */
  #noteSignal(signal: NodeJS.Signals): void {
    const isSame = FROM_TERMINALS.includes(signal) && performance.now() - this.#beganAtMs < SAME_SIGNAL_MS;
    if (!this.#isUnderWay) this.begin(signal, 0);
    else if (!isSame) this.#hurry.abort();
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Takes everything down, then ends the process. Returns at once; does nothing the second time. */
  begin(reason: string, exitCode: number): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    this.#beganAtMs = performance.now();
    this.#options.log.event('stopping', reason);
    void this.#takeDown().then((isClean) => {
      const isNow = this.#takeDownMs === NOW_TAKE_DOWN_MS;
      return this.#exit(this.hurry.aborted && !isNow ? 1 : exitCode, isClean, isNow ? 0 : 1);
    });
  }

  /**
   * As begin, but the process ends within three seconds, with code 0: a service manager must not start another daemon at
   * once, which would unseal the vault that its owner has sealed.
   */
  beginNow(reason: string): void {
    this.#takeDownMs = NOW_TAKE_DOWN_MS;
    this.begin(reason, 0);
    this.#options.watchdog.endWithin(NOW_SECONDS);
    // The client that asked for it gets its response first.
    setTimeout(() => this.#hurry.abort(), LAST_ANSWER_MS);
  }

  /** Takes everything down for a daemon that could not start. The caller says why, and ends the process. */
  async abandon(): Promise<void> {
    this.#isUnderWay = true;
    await this.#takeDown();
  }

  /**
   * Runs the steps in the reverse order of setting up: first clients no longer find the daemon, then none is answered, then
   * the vault is let go. Returns whether each step ended well and in its time. A step that did not keeps no other from its
   * turn.
   */
  async #takeDown(): Promise<boolean> {
    this.#options.watchdog.endWithin(END_SECONDS);
    const deadlineMs = performance.now() + this.#takeDownMs;
    let isClean = true;
    for (let step = this.teardown.pop(); step !== undefined; step = this.teardown.pop()) {
      const problem = await runInTime(step, Math.max(deadlineMs - performance.now(), LAST_STEP_MS));
      if (problem === null) continue;
      isClean = false;
      this.#options.log.event('warning', `while stopping: ${problem}`);
    }
    return isClean;
  }

  /** Node's own exit waits for every thread, so where one may be stuck, the kernel ends the process. */
  async #exit(exitCode: number, isClean: boolean, uncleanCode: number): Promise<void> {
    const { log, libc } = this.#options;
    const isWritten = await log.end();
    // In case Node's exit waits for a thread all the same.
    libc?.alarm(EXIT_SECONDS);
    if (isClean && isWritten) process.exit(exitCode);
    libc?.exitNow(exitCode === 0 && isClean ? 0 : uncleanCode);
    process.kill(process.pid, 'SIGKILL');
  }
}

/** Returns what went wrong; null if nothing did. */
async function runInTime(step: Teardown[number], limitMs: number): Promise<string | null> {
  try {
    const isDone = await within(
      limitMs,
      (async () => step())().then(() => true),
    );
    return isDone ? null : `a thread or a request did not end within ${Math.ceil(limitMs / 1_000)} s`;
  } catch (error) {
    return describeUnforeseen(error);
  }
}

/** Returns the kind of error and where it was thrown; not its message, which may quote what it was about. */
function describeUnforeseen(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  const frame = error.stack?.split('\n').find((line) => line.startsWith('    at '));
  return `${error.name}${code}${frame === undefined ? '' : ` ${frame.trim()}`}`;
}
