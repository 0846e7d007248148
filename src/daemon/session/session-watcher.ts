/**
 * The daemon's side of session-process.ts, a process of its own that hears when the vault is to be sealed. The daemon could not
 * connect to a bus again once it listens, and what is connected to a bus is better no process that has keys.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Report } from '../vault-state.ts';
import type { SealingEvent } from './session-events.ts';
import { INHIBIT_PROGRAMS } from './sleep-delay.ts';
import { SEALED, type Source, type Told } from './told.ts';

const PROGRAM = fileURLToPath(new URL(`./session-process${extname(import.meta.url)}`, import.meta.url));
/** How long the daemon waits for the process, which says so itself if a bus does not answer. */
const SETTLE_MS = 15_000;

interface Listener {
  readonly wanted: readonly SealingEvent[];
  /** Resolves when what follows from the event is done. */
  readonly hear: (event: SealingEvent | 'unlock') => Promise<unknown>;
  readonly report: Report;
}

export class SessionWatcher {
  readonly #listener: Listener;
  readonly #process: ChildProcess;
  readonly #settled = Promise.withResolvers<void>();
  /** What of the wanted events is not heard now, and why; each a sentence. */
  unheard: readonly string[] = [];

  private constructor(listener: Listener, child: ChildProcess) {
    this.#listener = listener;
    this.#process = child;
  }

  /** Starts the process while the daemon still may. */
  static start(env: NodeJS.ProcessEnv, listener: Listener): SessionWatcher {
    const child = spawn(process.execPath, [...listFlags(), PROGRAM, ...listener.wanted], {
      env: chooseVariables(env),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const watcher = new SessionWatcher(listener, child);
    child.unref();
    for (const stream of [child.stdin, child.stdout] as unknown[]) (stream as { unref(): void }).unref();
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => watcher.#take(JSON.parse(line) as Told));
    child.once('error', () => watcher.#noteGone());
    child.once('exit', () => watcher.#noteGone());
    return watcher;
  }

  /** Resolves when everything is heard that can be, or after some seconds. */
  async settled(): Promise<void> {
    const timer = setTimeout(() => this.#settled.resolve(), SETTLE_MS);
    await this.#settled.promise;
    clearTimeout(timer);
  }

  end(): void {
    this.#process.removeAllListeners();
    this.#process.stdin?.destroy();
    this.#process.kill('SIGKILL');
  }

  #take(told: Told): void {
    if ('unheard' in told) {
      this.#note(
        told.unheard.map(([source, why]) => this.#describe(source, `${why}; the daemon tries again`)),
      );
      this.#settled.resolve();
    } else {
      void this.#listener.hear(told.heard).then(() => {
        if (told.heard === 'suspend') this.#process.stdin?.write(`${SEALED}\n`);
      });
    }
  }

  #describe(source: Source, why: string): string {
    const { wanted } = this.#listener;
    if (source === 'delay') return `the machine may be suspended before the vault is sealed: ${why}`;
    return `the vault is not sealed by ${source === 'logind' ? wanted.join(' and ') : "the desktop's screen saver"}: ${why}`;
  }

  #note(unheard: readonly string[]): void {
    const { report, wanted } = this.#listener;
    const before = this.unheard;
    this.unheard = unheard;
    for (const sentence of unheard) if (!before.includes(sentence)) report('warning', sentence);
    if (unheard.length === 0 && before.length > 0)
      report('hearing', `the vault is sealed by ${wanted.join(' and ')} again`);
  }

  #noteGone(): void {
    this.#note([this.#describe('logind', 'the process that listens has ended; start mav serve again')]);
    this.#settled.resolve();
  }
}

/** Under Node's permission model, as the daemon is: the process may start programs and connect, and reads its own code only. */
function listFlags(): string[] {
  if (process.permission === undefined) return [];
  const readable = [dirname(PROGRAM), ...INHIBIT_PROGRAMS].map((path) => `--allow-fs-read=${path}`);
  const network = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];
  return [
    '--permission',
    '--disable-warning=SecurityWarning',
    '--allow-child-process',
    ...network,
    ...readable,
  ];
}

function chooseVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PATH, DBUS_SYSTEM_BUS_ADDRESS, DBUS_SESSION_BUS_ADDRESS } = env;
  return Object.fromEntries(
    Object.entries({ PATH, DBUS_SYSTEM_BUS_ADDRESS, DBUS_SESSION_BUS_ADDRESS }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}
