/**
 * Compares all rows with their set MAC, and the ends of the audit log with what the database knows, in the background, beside a
 * reader's requests: a slice of about a millisecond, then a pause. On a connection of its own, because all slices must see one
 * snapshot; SQLite's log is not erased before the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Outcome, runControl } from './calls.ts';
import { ReplyBuffer } from './json/reply.ts';
import type { Batch, BatchResult, ChangedRows } from './messages.ts';
import { describeRows } from './row-set/check-rows.ts';
import { type CheckSteps, checkStored, type StoredFindings } from './row-set/check-stored.ts';
import type { Db } from './store/database.ts';
import type { Vault } from './vault.ts';

/** Several times as long as a slice takes. */
const PAUSE_MS = 5;
/** A rotation takes the keys away that a check began with. Then it begins again. */
const ATTEMPTS = 10;
/** The most segments that are named. */
const MAX_NAMED = 100;
const REMEDY = 'find out who wrote the file; to accept it as it is: mav accept-restore';

export class RowCheck {
  readonly #vault: Vault;
  /** Ends the check that is under way, and closes its connection. */
  #stop: (() => void) | null = null;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** Whether the batch asks for this check, alone. */
  static isAsked([call]: Batch): boolean {
    return call?.operation === 'rows.check';
  }

  /** Never rejects. The body is ChangedRows; empty if nothing is wrong. The warning says the same. */
  async run(): Promise<BatchResult> {
    const reply = new ReplyBuffer();
    const result = await runControl(reply, async () => report(await this.#check(), reply));
    return { bytes: reply.take(), replies: [result] };
  }

  /** The thread is about to end. */
  stop(): void {
    this.#stop?.();
  }

  async #check(): Promise<StoredFindings> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#tryToCheck();
      if (found !== null) return found;
    }
    throw new Error('the keys of the vault change all the time');
  }

  /** Returns null if the check was stopped, or its keys are gone. Throws SealedError. */
  async #tryToCheck(): Promise<StoredFindings | null> {
    const { keyring, directory } = await this.#vault.getOpenVault();
    const db = this.#vault.openAside();
    db.exec('BEGIN');
    const steps = checkStored(db, directory, keyring);
    let isStopped = false;
    const stop = () => {
      if (isStopped) return;
      isStopped = true;
      end(steps, db);
    };
    this.#stop = stop;
    try {
      for (;;) {
        const { done, value } = steps.next();
        if (done === true) return value;
        await sleep(PAUSE_MS);
        if (isStopped || keyring.isDestroyed) return null;
      }
    } finally {
      stop();
      this.#stop = null;
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

/** Lets go of the statement that is under way before its connection is closed. */
function end(steps: CheckSteps, db: Db): void {
  steps.return({ rows: { state: 'ok', tables: [], rows: [] }, log: [] });
  db.close();
}
