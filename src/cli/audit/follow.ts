/** Shows entries of the audit log as they are written, until a signal comes. */
import type { Client } from '../../client/client.ts';
import type { AuditEntry, AuditFilter } from '../../client/types.ts';
import { EXIT, type ExitCode } from '../run/failure.ts';
import { exitCodeOfSignal, watchSignals } from '../terminal/interruption.ts';
import { readEntries } from './read-entries.ts';

const INTERVAL_MS = 1_000;
/** Threads write side by side: an entry can appear after another one that is newer, by less than this. */
const LATE_MS = 10_000;

/** `show` is given the entries that are new, oldest first; those of before to begin with. It returns whether anybody still reads. */
export async function followEntries(
  client: Client,
  filter: AuditFilter,
  before: readonly AuditEntry[],
  show: (entries: readonly AuditEntry[]) => Promise<boolean>,
): Promise<ExitCode> {
  const ticks = new Ticks();
  const interruption = watchSignals(() => ticks.end());
  const growing = new GrowingLog(client, filter);
  try {
    await growing.begin(before);
    for (let entries = before; await show(entries); entries = await growing.fetchNew()) {
      await ticks.next();
      if (interruption.signal !== null) return exitCodeOfSignal(interruption.signal);
    }
    return EXIT.done;
  } finally {
    interruption.end();
  }
}

/** Asks for what is new in the log. */
class GrowingLog {
  readonly #client: Client;
  readonly #filter: AuditFilter;
  /** The times of entries that may come once more, by their ids. */
  readonly #seen = new Map<string, string>();
  #newest = new Date().toISOString();

  constructor(client: Client, filter: AuditFilter) {
    this.#client = client;
    this.#filter = filter;
  }

  /** What is older than these entries, and is not among them, was not asked for. */
  async begin(entries: readonly AuditEntry[]): Promise<void> {
    const newest = entries.at(-1)?.at ?? this.#newest;
    this.#newest = newest;
    this.#note(entries);
    this.#note((await this.#fetch()).filter(({ at }) => at <= newest));
  }

  async fetchNew(): Promise<readonly AuditEntry[]> {
    const found = await this.#fetch();
    this.#note(found);
    return found;
  }

  #note(entries: readonly AuditEntry[]): void {
    for (const { id, at } of entries) {
      this.#seen.set(id, at);
      if (at > this.#newest) this.#newest = at;
    }
  }

  /** Returns the entries that are not among the seen ones, oldest first, and forgets seen ones that cannot come again. */
  async #fetch(): Promise<AuditEntry[]> {
    const since = new Date(Date.parse(this.#newest) - LATE_MS).toISOString();
    const found: AuditEntry[] = [];
    for await (const { items } of readEntries(this.#client, { ...this.#filter, since, order: 'oldest' }))
      found.push(...items.filter(({ id }) => !this.#seen.has(id)));
    for (const [id, at] of this.#seen) if (at < since) this.#seen.delete(id);
    return found;
  }
}

/** Waits for the next time to look, or until a signal comes. */
class Ticks {
  #wake = () => {};
  #isEnded = false;

  next(): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, INTERVAL_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }
}
