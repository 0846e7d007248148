/**
 * A program that runs as a child and is started again when it is told to. On a terminal it shares our process group, so that
 * Ctrl-C, Ctrl-Z and reading from the terminal work as if the shell had started it. Otherwise it has a group of its own.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../process/find-program.ts';
import type { Descriptor } from '../process/inherited-descriptors.ts';
import {
  exitCodeOf,
  explainStart,
  FORWARDED,
  FROM_TERMINAL,
  SIGNAL_EXIT,
  startChild,
} from '../process/run-as-child.ts';
import type { ExitCode } from '../run/failure.ts';
import { ProcessFamily } from './process-family.ts';

/** How often it is looked whether all processes of the program have ended. */
const LOOK_MS = 50;
/** After these it is not started again. */
const FINAL: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP'];
/** After these neither, if they come while it is being ended. */
const STOPPING: readonly NodeJS.Signals[] = [...FINAL, 'SIGINT', 'SIGQUIT'];

type State = 'running' | 'restarting' | 'over';

export class WatchedProgram {
  readonly #command: readonly string[];
  readonly #inherited: readonly Descriptor[];
  readonly #graceMs: number;
  readonly #isOnTerminal = hasTerminal();
  readonly #ended = Promise.withResolvers<ExitCode>();
  readonly #forward = (signal: NodeJS.Signals): void => this.#take(signal);
  #child: ChildProcess | null = null;
  #family = new ProcessFamily(0, false);
  #state: State = 'running';
  /** The signal that asked for the end. */
  #stop: NodeJS.Signals | null = null;

  constructor(command: readonly string[], inherited: readonly Descriptor[], graceMs: number) {
    this.#command = command;
    this.#inherited = inherited;
    this.#graceMs = graceMs;
  }

  /** Resolves with the exit code when the program ends, and is not to be started again. Rejects with CliError if it does not start. */
  get ended(): Promise<ExitCode> {
    return this.#ended.promise;
  }

  /** Throws CliError if the program is not found or does not start. */
  start(env: NodeJS.ProcessEnv): void {
    const [name = ''] = this.#command;
    const program = findProgram(name, env.PATH);
    for (const signal of FORWARDED) process.on(signal, this.#forward);
    const child = startChild(program, this.#command, env, this.#inherited, !this.#isOnTerminal);
    this.#child = child;
    this.#family = new ProcessFamily(child.pid ?? 0, !this.#isOnTerminal);
    child.once('error', (error) => this.#ended.reject(explainStart(name, error, env)));
    child.once('exit', (code, signal) => this.#noteExit(exitCodeOf(code, signal)));
  }

  /** Ends the program, with SIGKILL if it takes longer than the grace, and starts it again, unless it is to end for good. */
  async restart(env: NodeJS.ProcessEnv): Promise<void> {
    if (this.#state === 'over' || this.#stop !== null) return;
    this.#state = 'restarting';
    await this.#end();
    for (const signal of FORWARDED) process.off(signal, this.#forward);
    if (this.#stop !== null) return this.#finish(SIGNAL_EXIT + constants.signals[this.#stop]);
    this.#state = 'running';
    this.start(env);
  }

  /** Resolves when every process of the program has ended. */
  async #end(): Promise<void> {
    const endsAtMs = performance.now() + this.#graceMs;
    this.#family.signal('SIGTERM');
    // A stopped program gets the signal only when it goes on.
    this.#family.signal('SIGCONT');
    while (this.#child !== null || this.#family.isAlive()) {
      if (performance.now() >= endsAtMs) this.#family.signal('SIGKILL');
      await sleep(LOOK_MS);
    }
  }

  #noteExit(code: ExitCode): void {
    this.#child = null;
    if (this.#state === 'running') this.#finish(code);
  }

  #finish(code: ExitCode): void {
    this.#state = 'over';
    for (const signal of FORWARDED) process.off(signal, this.#forward);
    this.#ended.resolve(code);
  }

  #take(signal: NodeJS.Signals): void {
    const isRestarting = this.#state === 'restarting';
    if ((isRestarting ? STOPPING : FINAL).includes(signal)) this.#stop = signal;
    if (isRestarting) return;
    if (!this.#isOnTerminal) this.#family.signal(signal);
    else if (!FROM_TERMINAL.includes(signal)) this.#child?.kill(signal);
  }
}

/** Whether this process has a terminal that controls it. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
