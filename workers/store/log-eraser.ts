/**
 * Takes what the write-ahead log has into vault.db, then overwrites the log and cuts it off: as long as it lies there it has
 * the names, metadata, wrapped DEKs and payloads of what was deleted or replaced since. Holds no secret.
 */
import { closeSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type Database from 'better-sqlite3';

/** What SQLite answers to `wal_checkpoint`. */
interface Checkpoint {
  /** 1 if a reader kept it from being whole. */
  readonly busy: number;
}

const HEADER_SIZE = 32;
const PIECE_SIZE = 1_048_576;
/** How long a reader may keep the writer from it; it is tried again. */
const PATIENCE_MS = 50;

/**
 * Returns false if a reader kept the log from being taken in whole; then it is as it was. `db` is in no transaction.
 */
export function eraseLog(db: Database.Database, path: string): boolean {
  const log = `${path}-wal`;
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) return true;
  const usualMs = db.pragma('busy_timeout', { simple: true });
  db.pragma(`busy_timeout = ${PATIENCE_MS}`);
  try {
    const header = readHeader(log);
    // From then on nobody reads the log, until somebody writes into it again.
    if (isBusy(db, 'RESTART')) return false;
    return overwriteAlone(db, log, header) && !isBusy(db, 'TRUNCATE');
  } finally {
    db.pragma(`busy_timeout = ${usualMs}`);
  }
}

/**
 * Under the lock of those who write: another program that writes into the vault is in the wrong, but must not damage it. Returns
 * false if one has: then the log has another header than `header`.
 */
function overwriteAlone(db: Database.Database, log: string, header: Buffer): boolean {
  db.exec('BEGIN IMMEDIATE');
  try {
    if (!readHeader(log).equals(header)) return false;
    overwrite(log);
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

function isBusy(db: Database.Database, mode: 'RESTART' | 'TRUNCATE'): boolean {
  const [done] = db.pragma(`wal_checkpoint(${mode})`) as Checkpoint[];
  return done?.busy !== 0;
}

/**
 * With zeros, on the disk before it is cut off. The header first: without one SQLite ignores what is behind it, however much
 * of that a power failure leaves.
 */
function overwrite(log: string): void {
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
