/**
 * Has logind wait before it suspends the machine: a delay inhibitor, org.freedesktop.login1(5). logind hands one out as a file
 * descriptor, which Node cannot receive. So systemd's own `systemd-inhibit` holds it, for as long as the program runs that it was
 * given: `cat`, which ends with its standard input, and so also when this process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Fixed paths, as for systemd-notify. */
export const INHIBIT_PROGRAMS = [
  '/usr/bin/systemd-inhibit',
  '/bin/systemd-inhibit',
  '/run/current-system/sw/bin/systemd-inhibit',
];
const ARGUMENTS = [
  ...['--what=sleep', '--mode=delay', '--who=MaestroVault', '--why=the vault is sealed first'],
  'cat',
];
/** `cat` sends this back, which it can only do once logind has handed out the inhibitor. */
const PROBE = '\n';
const PATIENCE_MS = 5_000;
/** How long it waits before it tries again: twice as long after each failure. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export class SleepDelay {
  readonly #env: NodeJS.ProcessEnv;
  readonly #tell: (why: string | null) => void;
  /** The calls of `take` and `release`. What goes on for an earlier one ends. */
  #turn = 0;
  #isWanted = false;
  #holder: ChildProcess | null = null;

  /** `tell` is called after each attempt: why logind does not wait; null: it waits. */
  constructor(env: NodeJS.ProcessEnv, tell: (why: string | null) => void) {
    this.#env = env;
    this.#tell = tell;
  }

  /** From now on logind waits. Resolves after the first attempt. If it fails, it is tried again, less and less often. */
  async take(): Promise<void> {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#turn += 1;
    const turn = this.#turn;
    const isHeld = await this.#tryToHold(turn);
    void this.#goOn(turn, isHeld);
  }

  /** logind need not wait any longer. */
  release(): void {
    this.#isWanted = false;
    this.#turn += 1;
    if (this.#holder !== null) end(this.#holder);
    this.#holder = null;
  }

  async #goOn(turn: number, wasHeld: boolean): Promise<void> {
    let [isHeld, waitMs] = [wasHeld, FIRST_WAIT_MS];
    while (turn === this.#turn) {
      if (isHeld && this.#holder !== null) {
        await exited(this.#holder);
        waitMs = FIRST_WAIT_MS;
      }
      await sleep(waitMs);
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
      if (turn === this.#turn) isHeld = await this.#tryToHold(turn);
    }
  }

  async #tryToHold(turn: number): Promise<boolean> {
    const program = INHIBIT_PROGRAMS.find((path) => existsSync(path));
    const holder = program === undefined ? null : await start(program, this.#env);
    if (turn !== this.#turn) {
      if (holder !== null) end(holder);
      return false;
    }
    this.#holder = holder;
    if (holder !== null) this.#tell(null);
    else if (program === undefined) this.#tell('systemd-inhibit is not installed');
    else this.#tell('systemd-inhibit got no inhibitor of logind');
    return holder !== null;
  }
}

/** Resolves when logind waits; with null if it does not. */
async function start(program: string, env: NodeJS.ProcessEnv): Promise<ChildProcess | null> {
  const holder = spawn(program, ARGUMENTS, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  // It ended before it read that.
  holder.stdin.on('error', () => {});
  holder.stdin.write(PROBE);
  const isHeld = await Promise.race([
    once(holder.stdout, 'data').then(
      () => true,
      () => false,
    ),
    exited(holder).then(() => false),
    sleep(PATIENCE_MS, false, { ref: false }),
  ]);
  if (isHeld) return holder;
  end(holder);
  return null;
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}

function end(holder: ChildProcess): void {
  holder.stdin?.destroy();
  holder.kill();
}
