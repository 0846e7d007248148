/**
 * Compares all rows with their set MAC in the background, beside a reader's requests: a slice of about a millisecond, then a pause. On a
 * connection of its own, because all slices must see one snapshot; the log is not erased before the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { runControl } from './calls.ts';
import { ReplyBuffer } from './json/reply.ts';
import type { Batch, BatchResult } from './messages.ts';
import { checkRows, describeRows, type RowFindings } from './row-set/check-rows.ts';
import type { Db } from './store/database.ts';
import { RowSetStore } from './store/row-set.ts';
import type { Vault } from './vault.ts';

/** Several times as long as a slice takes. */
const PAUSE_MS = 5;
/** A rotation takes the keys away that a check began with. Then it begins again. */
const ATTEMPTS = 10;
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

  /** Never rejects. The warning of the reply says what was found; without one nothing is wrong. */
  async run(): Promise<BatchResult> {
    const reply = new ReplyBuffer();
    const result = await runControl(reply, async () => {
      const line = describeRows(await this.#check());
      reply.ascii('{}');
      return line === '' ? {} : { warning: `${line}; ${REMEDY}` };
    });
    return { bytes: reply.take(), replies: [result] };
  }

  /** The thread is about to end. */
  stop(): void {
    this.#stop?.();
  }

  async #check(): Promise<RowFindings> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#tryToCheck();
      if (found !== null) return found;
    }
    throw new Error('the keys of the vault change all the time');
  }

  /** Returns null if the check was stopped, or its keys are gone. Throws SealedError. */
  async #tryToCheck(): Promise<RowFindings | null> {
    const { keyring } = await this.#vault.getOpenVault();
    const db = this.#vault.openAside();
    db.exec('BEGIN');
    const steps = checkRows(new RowSetStore(db), keyring);
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

/** Lets go of the statement that is under way before its connection is closed. */
function end(steps: ReturnType<typeof checkRows>, db: Db): void {
  steps.return({ state: 'ok', tables: [], rows: [] });
  db.close();
}
