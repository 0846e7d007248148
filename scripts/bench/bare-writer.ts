/**
 * The reference for writing: a bare loop of better-sqlite3 with one transaction for each write. It uses the vault's pragmas, and
 * rows of the same shape and size. The argument is a JSON object (`BareWriterOptions`). The result goes to standard output as
 * one JSON line, `{"perSecond": …}`. The first quarter of the time is not counted.
 */
import { randomFillSync } from 'node:crypto';
import Database from 'better-sqlite3';

export interface BareWriterOptions {
  readonly databasePath: string;
  readonly durationMs: number;
  /** Number of rows, which are written in turn. */
  readonly rows: number;
  readonly valueSize: number;
}

const WARMUP_SHARE = 0.25;
/** Bytes that the envelope adds to a value (docs/format.md), and the size of a wrapped key. */
const PAYLOAD_OVERHEAD = 33;
const WRAPPED_DEK_SIZE = 93;

const TABLE = `
CREATE TABLE IF NOT EXISTS secrets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  metadata TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped_dek BLOB NOT NULL,
  payload BLOB,
  field_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (name, environment)
) STRICT;
CREATE INDEX IF NOT EXISTS secrets_by_environment ON secrets (environment, name);
`;

function open(path: string): Database.Database {
  const db = new Database(path);
  for (const pragma of [
    'journal_mode = WAL',
    'synchronous = FULL',
    'secure_delete = ON',
    'foreign_keys = ON',
  ])
    db.pragma(pragma);
  db.exec(TABLE);
  return db;
}

function run({ databasePath, durationMs, rows, valueSize }: BareWriterOptions): number {
  const db = open(databasePath);
  // Outside a transaction, each statement is a transaction of its own.
  const put = db.prepare(
    `INSERT INTO secrets (name, environment, metadata, version, wrapped_dek, payload, created_at, updated_at)
     VALUES (?, ?, '{}', ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET version = excluded.version, wrapped_dek = excluded.wrapped_dek,
       payload = excluded.payload, updated_at = excluded.updated_at`,
  );
  const wrappedDek = randomFillSync(Buffer.alloc(WRAPPED_DEK_SIZE));
  const payload = randomFillSync(Buffer.alloc(valueSize + PAYLOAD_OVERHEAD));
  const startedAt = performance.now();
  const countFrom = startedAt + durationMs * WARMUP_SHARE;
  let counted = 0;
  let now = startedAt;
  for (let version = 1; now < startedAt + durationMs; version++) {
    const seconds = Math.floor(Date.now() / 1000);
    put.run(`put-${version % rows}`, 'stage-0', version, wrappedDek, payload, seconds, seconds);
    now = performance.now();
    if (now >= countFrom) counted += 1;
  }
  db.close();
  return (counted * 1000) / (now - countFrom);
}

const perSecond = run(JSON.parse(process.argv[2] ?? '{}') as BareWriterOptions);
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);
