/**
 * Compares all rows with their set MAC beside a reader's other requests: a slice of about a millisecond, then a pause. In the
 * background it compares the ends of the audit log, too. Each check has a connection of its own, because all of its slices must see
 * one snapshot; SQLite's log is not erased before the end.
 */
import { setImmediate as nextRound, setTimeout as sleep } from 'node:timers/promises';
import { type Outcome, runControl } from './calls.ts';
import { ReplyBuffer } from './json/reply.ts';
import type { Batch, BatchResult, ChangedRows } from './messages.ts';
import type { OpenVault } from './open-vault.ts';
import { findRowsPage } from './operations/check.ts';
import { openDraft } from './operations/check-backup.ts';
import { checkRows, describeRows, type RowFindings } from './row-set/check-rows.ts';
import { checkStored, type StoredFindings } from './row-set/check-stored.ts';
import type { Db } from './store/database.ts';
import { RowSetStore } from './store/row-set.ts';
import type { Vault } from './vault.ts';

/** Several times as long as a slice takes. */
const PAUSE_MS = 5;
/** A rotation takes the keys away that a check began with. Then it begins again. */
const ATTEMPTS = 10;
/** The most segments that are named. */
const MAX_NAMED = 100;
const REMEDY = 'find out who wrote the file; to accept it as it is: mav accept-restore';

/** A connection, and a check that reads from it. */
interface Started<T> {
  readonly db: Db;
  readonly steps: Generator<void, T>;
}

export class RowCheck {
  readonly #vault: Vault;
  /** Each ends a check that is under way, and closes its connection. */
  readonly #stops = new Set<() => void>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** Whether the batch asks for the check in the background, alone. */
  static isAsked([call]: Batch): boolean {
    return call?.operation === 'rows.check';
  }

  /** Never rejects. The body is ChangedRows; empty if nothing is wrong. The warning says the same. */
  async run(): Promise<BatchResult> {
    const reply = new ReplyBuffer();
    const start = ({ keyring, directory }: OpenVault) => {
      const db = this.#vault.openAside();
      return { db, steps: checkStored(db, directory, keyring) };
    };
    const result = await runControl(reply, async () => {
      return report(await this.#check(start, () => sleep(PAUSE_MS)), reply);
    });
    return { bytes: reply.take(), replies: [result] };
  }

  /** Compares the set of rows for the page of a check that is about it, and returns the findings; undefined for another batch. */
  async findFor([call]: Batch): Promise<RowFindings | undefined> {
    const page = call === undefined ? null : findRowsPage(call);
    if (page === null) return undefined;
    const { backup } = page;
    const start = ({ keyring, databasePath }: OpenVault) => {
      const db = backup === null ? this.#vault.openAside() : openDraft(databasePath, backup);
      return { db, steps: checkRows(new RowSetStore(db), keyring) };
    };
    try {
      // Somebody waits for it, so there is no longer pause than the requests that have arrived need.
      return await this.#check(start, () => nextRound());
    } catch {
      // The call meets the same obstacle, and says it.
      return undefined;
    }
  }

  /** The thread is about to end. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }

  async #check<T>(start: (open: OpenVault) => Started<T>, pause: () => Promise<unknown>): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const open = await this.#vault.getOpenVault();
      const found = await this.#follow(start(open), open.keyring, pause);
      if (found !== null) return found;
    }
    throw new Error('the keys of the vault change all the time');
  }

  /** Returns null if the check was stopped, or its keys are gone. */
  async #follow<T>(
    { db, steps }: Started<T>,
    keyring: { readonly isDestroyed: boolean },
    pause: () => Promise<unknown>,
  ): Promise<T | null> {
    let isStopped = false;
    const stop = () => {
      if (isStopped) return;
      isStopped = true;
      // Lets go of the statement that is under way before its connection is closed.
      steps.return(null as T);
      db.close();
    };
    this.#stops.add(stop);
    try {
      db.exec('BEGIN');
      for (;;) {
        const { done, value } = steps.next();
        if (done === true) return value;
        await pause();
        if (isStopped || keyring.isDestroyed) return null;
      }
    } finally {
      stop();
      this.#stops.delete(stop);
    }
  }
}

function report({ rows, log }: StoredFindings, reply: ReplyBuffer): Outcome {
  const [first] = log;
  const line = describeRows(rows);
  const lines = [
    ...(line === '' ? [] : [`${line}; ${REMEDY}`]),
    ...(first === undefined
      ? []
      : [`the audit log was changed: segment ${first.segment}: ${first.problem}; run: mav audit verify`]),
  ];
  if (lines.length === 0) return {};
  const changed: ChangedRows = {
    readable: rows.state !== 'unreadable',
    tables: rows.tables,
    rows: rows.rows,
    audit_segments: log.slice(0, MAX_NAMED).map(({ segment }) => segment),
  };
  reply.raw(JSON.stringify(changed));
  return { warning: lines.join('; ') };
}
