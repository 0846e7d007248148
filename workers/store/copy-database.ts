/** Copies an open database while it is written to. The copy is one file, without a log beside it. */
import { closeSync, fdatasync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { SlotRow } from './columns.ts';
import type { Db } from './database.ts';
import { type RowFollower, Transactions } from './transactions.ts';
import { identifyVault, VaultStore } from './vault.ts';

/** 400 kB, under a millisecond of the thread's time. Other calls of the thread come between two steps. */
const PAGES_PER_STEP = 100;
/** 6 MB. What is left for the last sync, which the thread waits for, is not more. */
const STEPS_PER_SYNC = 16;

/**
 * Copies the database with SQLite's backup: what this connection writes meanwhile is in the copy, too, so the copy is the
 * database as it is when this resolves. `path` must be an empty file. Throws SQLite's errors.
 */
export async function copyDatabase(db: Db, path: string): Promise<void> {
  const file = openSync(path, 'r+');
  let [steps, isSyncing] = [0, false];
  const done = () => {
    isSyncing = false;
  };
  try {
    await db.backup(path, {
      progress: () => {
        steps += 1;
        if (steps % STEPS_PER_SYNC === 0 && !isSyncing) {
          isSyncing = true;
          fdatasync(file, done);
        }
        return PAGES_PER_STEP;
      },
    });
  } finally {
    closeSync(file);
  }
}

/** Keeps the MAC over the rows of a copy. */
interface CopyFollower extends RowFollower {
  /** Notes, in a transaction, that there is no audit log any more. */
  forgetAuditLog(): void;
}

/**
 * Makes one file of a copy, and takes out the rows of the audit log, whose files are not in it. `slot`: a key slot that only the
 * copy has, or null. `follow` returns what keeps the copy's MAC over its rows. Returns what the copy is known by.
 */
export function finishCopy(
  path: string,
  slot: SlotRow | null,
  follow: (db: Db) => CopyFollower,
): ReturnType<typeof identifyVault> {
  const db = new Database(path, { fileMustExist: true });
  try {
    db.pragma('journal_mode = DELETE');
    db.pragma('synchronous = FULL');
    db.pragma('secure_delete = ON');
    db.pragma('trusted_schema = OFF');
    const rows = follow(db);
    const transactions = new Transactions(db, () => {}, rows);
    transactions.write(() => {
      db.exec('DELETE FROM audit_writes; DELETE FROM audit_segments');
      rows.forgetAuditLog();
      if (slot !== null) new VaultStore(db).insertSlot(slot);
    });
    return identifyVault(db);
  } finally {
    db.close();
  }
}
