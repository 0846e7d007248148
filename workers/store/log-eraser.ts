/**
 * Moves the write-ahead log into vault.db, then overwrites the log and truncates it. Until then the log still has the names,
 * metadata, wrapped DEKs and payloads of rows that were deleted or replaced.
 */
import { closeSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type Database from 'better-sqlite3';

/** The row that `wal_checkpoint` returns. */
interface Checkpoint {
  /** 1 if a reader kept SQLite from moving the whole log. */
  readonly busy: number;
}

const HEADER_SIZE = 32;
const PIECE_SIZE = 1_048_576;
/** How long one attempt waits for readers. The caller tries again later. */
const PATIENCE_MS = 50;

/**
 * Returns false if a reader kept SQLite from moving the whole log; then the log is not overwritten. `db` must not be in a
 * transaction.
 */
export function eraseLog(db: Database.Database, path: string): boolean {
  const log = `${path}-wal`;
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) return true;
  const usualMs = db.pragma('busy_timeout', { simple: true });
  db.pragma(`busy_timeout = ${PATIENCE_MS}`);
  try {
    const header = readHeader(log);
    // After this no connection reads the log until the next write.
    if (!checkpoint(db, 'RESTART')) return false;
    return overwriteAlone(db, log, header) && checkpoint(db, 'TRUNCATE');
  } finally {
    db.pragma(`busy_timeout = ${usualMs}`);
  }
}

/**
 * Overwrites the log under SQLite's write lock. No other program may write into the vault, but one that does must not lose
 * its writes here: the log then has another header than `header`, and this returns false.
 */
function overwriteAlone(db: Database.Database, log: string, header: Buffer): boolean {
  db.exec('BEGIN IMMEDIATE');
  try {
    if (!readHeader(log).equals(header)) return false;
    overwriteLog(log);
    return true;
  } finally {
    db.exec('ROLLBACK');
  }
}

function readHeader(log: string): Buffer {
  const descriptor = openSync(log, 'r');
  try {
    const header = Buffer.alloc(HEADER_SIZE);
    readSync(descriptor, header, 0, HEADER_SIZE, 0);
    return header;
  } finally {
    closeSync(descriptor);
  }
}

/** Returns whether SQLite moved the whole log into the database. */
function checkpoint(db: Database.Database, mode: 'RESTART' | 'TRUNCATE'): boolean {
  const [done] = db.pragma(`wal_checkpoint(${mode})`) as Checkpoint[];
  return done?.busy === 0;
}

/**
 * Overwrites the log with zeros and syncs it. The header comes first: without it SQLite ignores the frames that a power
 * failure may leave.
 */
function overwriteLog(log: string): void {
  const descriptor = openSync(log, 'r+');
  try {
    const { size } = statSync(log);
    const zeros = new Uint8Array(Math.min(size, PIECE_SIZE));
    writeSync(descriptor, zeros, 0, HEADER_SIZE, 0);
    fsyncSync(descriptor);
    for (let at = HEADER_SIZE; at < size; at += zeros.length)
      writeSync(descriptor, zeros, 0, Math.min(zeros.length, size - at), at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
