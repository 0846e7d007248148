/** A daemon on a vault of its own, in the benchmark's folder. Its log goes to a file, as in real use. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startNode, stopProcess } from './processes.ts';

export const BIN = join(import.meta.dirname, '../../dist/src/bin.js');
/** The file that is installed as `mav`. */
export const MAV = join(import.meta.dirname, '../../dist/mav');

const HEALTH_REQUEST = 'GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n';
const POLL_MS = 1;
const START_TIMEOUT_MS = 60_000;

/** The environment of `mav`: the benchmark's home, no keychain, and no runtime folder. */
export function vaultEnv(folder: string, vault: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: folder,
    MAV_HOME: join(folder, vault),
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
  };
}

/** Runs a command to its end and returns its output. Throws Error if it fails. */
export function runMav(env: NodeJS.ProcessEnv, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`mav ${args[0]} failed: ${stderr}`);
  return stdout;
}

/** How a daemon differs from the program as it is built. */
export interface Variant {
  /** The file with which it starts. */
  readonly bin?: string;
  /** What `config.json` says. */
  readonly config?: object;
}

export class Daemon {
  readonly env: NodeJS.ProcessEnv;
  readonly socketPath: string;
  readonly #logPath: string;
  readonly #bin: string;
  #child: ChildProcess | null = null;
  #token = '';

  private constructor(folder: string, vault: string, { bin = BIN }: Variant) {
    this.#bin = bin;
    this.env = vaultEnv(folder, vault);
    this.socketPath = join(folder, vault, 'maestrovault.sock');
    this.#logPath = join(folder, `${vault}.log`);
  }

  /** Creates a vault in `folder`, and starts a daemon on it. */
  static async create(folder: string, vault: string, variant: Variant = {}): Promise<Daemon> {
    const daemon = new Daemon(folder, vault, variant);
    mkdirSync(folder, { recursive: true });
    runMav(daemon.env, 'init', '--key-store', 'file');
    if (variant.config !== undefined)
      writeFileSync(join(folder, vault, 'config.json'), JSON.stringify(variant.config), { mode: 0o600 });
    await daemon.start();
    daemon.#token = daemon.createToken('bench', 'admin');
    return daemon;
  }

  get databasePath(): string {
    return join(this.env.MAV_HOME ?? '', 'vault.db');
  }

  /** The token has every scope. */
  get token(): string {
    return this.#token;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  createToken(name: string, scope: string): string {
    return runMav(this.env, 'token', 'create', '--name', name, '--scope', scope).trim();
  }

  /** Resolves when the daemon has answered its first health check. */
  async start(): Promise<void> {
    const log = openSync(this.#logPath, 'a');
    this.#child = startNode([this.#bin, 'serve'], this.env, ['ignore', log, log]);
    closeSync(log);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await answersHealth(this.socketPath))) {
      if (this.#child.exitCode !== null || performance.now() > deadline)
        throw new Error(`the daemon did not start: ${readFileSync(this.#logPath, 'utf8').slice(-500)}`);
      await delay(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    if (this.#child !== null) await stopProcess(this.#child);
    this.#child = null;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Empties the log: a minute of load writes hundreds of megabytes. */
  clearLog(): void {
    truncateSync(this.#logPath);
  }
}

/** Speaks HTTP by hand: node:http would take longer to give up than a daemon takes to start. */
function answersHealth(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => socket.write(HEALTH_REQUEST));
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.includes('HTTP/1.1 200'));
    });
    socket.once('error', () => resolve(false));
    socket.once('end', () => resolve(false));
  });
}
