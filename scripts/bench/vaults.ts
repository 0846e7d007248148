/** The filled vaults. Each is made when the first part asks for it, and kept for later parts. */
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { Daemon } from './daemon.ts';
import { exchange } from './exchange.ts';
import { sampleSecret } from './sample-secrets.ts';

/** Number of entries in a request, which makes a body of some megabytes. */
const ENTRIES_PER_IMPORT = 20_000;
const ENTRIES_PER_PROGRESS = 100_000;

const POLL_MS = 200;

export interface Filling {
  readonly count: number;
  /** Size of each value in bytes. */
  readonly valueSize: number;
}

export class Vaults {
  readonly #folder: string;
  readonly #say: (progress: string) => void;
  readonly #daemons = new Map<string, Daemon>();

  constructor(folder: string, say: (progress: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  /** Returns a daemon on a vault with these secrets. It was just started, or used by an earlier part. */
  async get(filling: Filling): Promise<Daemon> {
    const name = `vault-${filling.count}-${filling.valueSize}`;
    const daemon = this.#daemons.get(name) ?? (await this.#make(name, filling));
    this.#daemons.set(name, daemon);
    return daemon;
  }

  /** Starts a daemon on an empty vault. The caller stops it. */
  makeEmpty(name: string): Promise<Daemon> {
    return Daemon.create(this.#folder, name);
  }

  clearLogs(): void {
    for (const daemon of this.#daemons.values()) daemon.clearLog();
  }

  async #make(name: string, { count, valueSize }: Filling): Promise<Daemon> {
    const daemon = await Daemon.create(this.#folder, name);
    for (let from = 0; from < count; from += ENTRIES_PER_IMPORT) {
      if (from % ENTRIES_PER_PROGRESS === 0)
        this.#say(`filling a vault: ${from.toLocaleString('en')} of ${count.toLocaleString('en')} secrets`);
      const length = Math.min(ENTRIES_PER_IMPORT, count - from);
      const secrets = Array.from({ length }, (_, index) => sampleSecret(from + index, count, valueSize));
      const body = JSON.stringify({ secrets });
      const { token, socketPath } = daemon;
      await exchange(socketPath, { method: 'POST', path: '/v1/import', token, body });
    }
    // Starts the daemon again, because a daemon that just stored a million secrets is not like one after login.
    this.#say('waiting until they are indexed');
    await waitUntilIndexed(daemon.databasePath);
    await daemon.restart();
    return daemon;
  }
}

/** Waits until the daemon has indexed everything, which it does when it has nothing else to do. */
async function waitUntilIndexed(databasePath: string): Promise<void> {
  const db = new Database(databasePath, { readonly: true });
  const find = db.prepare('SELECT 1 FROM search_pending LIMIT 1');
  while (find.get() !== undefined) await delay(POLL_MS);
  db.close();
}
