/**
 * How the daemon ends: told by a signal, or by an error that nobody caught. What was set up is taken down, each step in
 * its time; then the process ends, whatever has not ended with it.
 */
import { within } from '../deadline.ts';
import type { Log } from '../log/log.ts';
import type { Libc } from './libc.ts';
import type { Watchdog } from './watchdog.ts';

export const STOP_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR2'] as const;

const FROM_TERMINALS: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT'];
const SAME_SIGNAL_MS = 500;

/** What taking everything down may take; requests under way have 5 s of it. */
const TAKE_DOWN_MS = 8_000;
/** A step that comes after that has so long. */
const LAST_STEP_MS = 200;
/** Then the watchdog ends the process. */
const END_SECONDS = 10;
const NOW_SECONDS = 3;
const NOW_TAKE_DOWN_MS = 1_000;
const LAST_ANSWER_MS = 200;
/** Node's own exit waits for threads; after so long the kernel ends the process. */
const EXIT_SECONDS = 2;

/** What has been set up so far, each with how to take it down again. */
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

  /** Aborted when requests under way are not to be waited for any more. */
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

  /** A second signal means that it is to be quick, unless it is the first one's: a terminal and npm send each twice. */
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
   * As begin, for what may wait for nothing: within three seconds the process has ended. With code 0, because its owner
   * wanted it so: a service manager must not start another at once, which would unseal the vault.
   */
  beginNow(reason: string): void {
    this.#takeDownMs = NOW_TAKE_DOWN_MS;
    this.begin(reason, 0);
    this.#options.watchdog.endWithin(NOW_SECONDS);
    // Whoever asked for it is told first.
    setTimeout(() => this.#hurry.abort(), LAST_ANSWER_MS);
  }

  /** Takes everything down for a daemon that could not start; whoever called it says why, and ends the process. */
  async abandon(): Promise<void> {
    this.#isUnderWay = true;
    await this.#takeDown();
  }

  /**
   * In the reverse order of setting up: first nobody finds us, then nobody is answered, then nothing is held. Returns
   * whether each step ended well and in its time; one that did not keeps no other from its turn.
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

  /** Node's own exit waits for every thread: where one may be stuck, the kernel ends the process. */
  async #exit(exitCode: number, isClean: boolean, uncleanCode: number): Promise<void> {
    const { log, libc } = this.#options;
    const isWritten = await log.end();
    // Should it wait for one all the same.
    libc?.alarm(EXIT_SECONDS);
    if (isClean && isWritten) process.exit(exitCode);
    libc?.exitNow(exitCode === 0 && isClean ? 0 : uncleanCode);
    process.kill(process.pid, 'SIGKILL');
  }
}

/** What went wrong; null if nothing did. */
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

/** The kind of error and where it was thrown; not its message, which may quote what it was about. */
function describeUnforeseen(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  const frame = error.stack?.split('\n').find((line) => line.startsWith('    at '));
  return `${error.name}${code}${frame === undefined ? '' : ` ${frame.trim()}`}`;
}
