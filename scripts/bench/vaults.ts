/** The filled vaults. Each is made when the first part asks for it, and kept for later parts. */
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { Daemon } from './daemon.ts';
import { exchange } from './exchange.ts';
import { sampleSecret } from './sample-secrets.ts';
import { makeUnrecordedProgram } from './unrecorded-program.ts';

/** Number of entries in a request, which makes a body of some megabytes. */
const ENTRIES_PER_IMPORT = 20_000;
const ENTRIES_PER_PROGRESS = 100_000;

const POLL_MS = 200;

export interface Filling {
  readonly count: number;
  /** Size of each value in bytes. */
  readonly valueSize: number;
  /** Number of values that each secret has had. Absent: one. */
  readonly versions?: number;
  /** Whether the daemon keeps no old versions and writes no audit log. */
  readonly isUnrecorded?: true;
}

const NO_HISTORY = { keep_versions: 0, keep_deleted_days: 0 };

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
    const { count, valueSize, versions = 1, isUnrecorded = false } = filling;
    const name = `vault-${count}-${valueSize}-${versions}${isUnrecorded ? '-unrecorded' : ''}`;
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

  async #make(name: string, filling: Filling): Promise<Daemon> {
    const variant = filling.isUnrecorded ? { bin: makeUnrecordedProgram(), config: NO_HISTORY } : {};
    const daemon = await Daemon.create(this.#folder, name, variant);
    // The last version has the values of a vault without old ones, so that the two differ in nothing else.
    for (let left = (filling.versions ?? 1) - 1; left >= 0; left--)
      await this.#fill(daemon, filling, left === 0 ? '' : `${left} `);
    // Starts the daemon again, because a daemon that just stored a million secrets is not like one after login.
    this.#say('waiting until they are indexed');
    await waitUntilIndexed(daemon.databasePath);
    await daemon.restart();
    return daemon;
  }

  /** `prefix`: what the values begin with. */
  async #fill(daemon: Daemon, { count, valueSize }: Filling, prefix: string): Promise<void> {
    for (let from = 0; from < count; from += ENTRIES_PER_IMPORT) {
      if (from % ENTRIES_PER_PROGRESS === 0)
        this.#say(`filling a vault: ${from.toLocaleString('en')} of ${count.toLocaleString('en')} secrets`);
      const length = Math.min(ENTRIES_PER_IMPORT, count - from);
      const secrets = Array.from({ length }, (_, index) => {
        const secret = sampleSecret(from + index, count, valueSize);
        return { ...secret, value: `${prefix}${secret.value}`.slice(0, valueSize) };
      });
      const body = JSON.stringify({ secrets });
      const { token, socketPath } = daemon;
      await exchange(socketPath, { method: 'POST', path: '/v1/import', token, body });
    }
  }
}

/** Waits until the daemon has indexed everything, which it does when it has nothing else to do. */
async function waitUntilIndexed(databasePath: string): Promise<void> {
  const db = new Database(databasePath, { readonly: true });
  const find = db.prepare('SELECT 1 FROM search_pending LIMIT 1');
  while (find.get() !== undefined) await delay(POLL_MS);
  db.close();
}
