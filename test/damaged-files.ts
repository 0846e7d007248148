/** Files that are not what they should be: what is looked at before SQLite may write. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createDatabase, type Db, openForWriting } from '../workers/store/database.ts';
import { SCHEMA_VERSION } from '../workers/store/schema.ts';
import { hashFile } from './fixtures/sealed.ts';

t.setTimeout(550_000);

const PAGE_SIZE = 4_096;
const FRAME_SIZE = 24 + PAGE_SIZE;
const LOG_HEADER_SIZE = 32;
const WRITES = 4;

/** The files of a process that was killed. */
interface Left {
  readonly path: string;
  readonly file: Buffer;
  readonly log: Buffer;
}

function insert(db: Db, name: string): void {
  db.prepare(
    `INSERT INTO secrets
       (name, environment, metadata, version, wrapped_dek, created_at, updated_at, written_by, accepted,
        expires_at, rotate_by, confirm, revision, change)
     VALUES (?, '', '{}', 0, x'00', 0, 0, 'session', 1, 0, 0, 0, 1, 'set')`,
  ).run(name);
}

/** After some writes, each a transaction; none of them is in vault.db yet. */
function leaveLog(t: Test, more: (db: Db) => void = () => {}): Left {
  const folder = mkdtempSync(join(tmpdir(), 'mav-files-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'vault.db');
  const made = createDatabase(path);
  made.pragma('journal_mode = WAL');
  made.close();
  const db = openForWriting(path, () => {});
  for (let count = 0; count < WRITES; count++) insert(db, `k${count}`);
  more(db);
  const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
  db.close();
  return { path, file, log };
}

function lay(path: string, file: Uint8Array, log: Uint8Array): void {
  writeFileSync(path, file);
  writeFileSync(`${path}-wal`, log);
  rmSync(`${path}-shm`, { force: true });
}

/** How many of the writes are there; or why it was not opened, and then it must be untouched. */
function open(t: Test, path: string): number | string {
  const before = [path, `${path}-wal`].map(hashFile);
  try {
    const db = openForWriting(path, () => {});
    try {
      return db.prepare('SELECT count(*) FROM secrets').pluck().get() as number;
    } finally {
      db.close();
    }
  } catch (error) {
    t.same([path, `${path}-wal`].map(hashFile), before, 'untouched');
    return (error as Error).message;
  }
}

t.test('open > the log of a killed process, cut at frames and between > opens', async (t) => {
  const { path, file, log } = leaveLog(t);
  const found = new Set<number | string>();
  for (let size = log.length; size > 0; size -= FRAME_SIZE / 2) {
    lay(path, file, log.subarray(0, size));
    found.add(open(t, path));
  }
  t.same([...found], [4, 3, 2, 1, 0]);
});

const SECTOR_SIZE = 512;
const TORN = 15;

/** What a power failure may leave of the bytes that were being written: any of their sectors, old or new. */
function tear(before: Buffer, after: Buffer): Buffer {
  const torn = Buffer.from(after);
  for (let at = 0; at < Math.min(before.length, after.length); at += SECTOR_SIZE)
    if (Math.random() < 0.5) before.copy(torn, at, at, at + SECTOR_SIZE);
  return torn.subarray(0, Math.random() < 0.5 ? torn.length : before.length);
}

t.test('open > the last write torn by a power failure, in any of its sectors > opens', async (t) => {
  for (const isOverOlder of [false, true]) {
    let before = Buffer.alloc(0);
    const { path, file, log } = leaveLog(t, (db) => {
      if (isOverOlder) {
        db.pragma('wal_checkpoint(RESTART)');
        insert(db, 'newer');
      }
      before = readFileSync(`${db.name}-wal`);
      insert(db, 'last');
    });
    const found = new Set<number | string>();
    for (let count = 0; count < TORN; count++) {
      lay(path, file, tear(before, log));
      found.add(open(t, path));
    }
    const last = WRITES + (isOverOlder ? 2 : 1);
    t.same(
      [...found].filter((count) => count !== last && count !== last - 1),
      [],
    );
  }
});

t.test('open > a log with frames of an older generation behind > opens', async (t) => {
  const { path, file, log } = leaveLog(t, (db) => {
    db.pragma('wal_checkpoint(RESTART)');
    insert(db, 'newer');
  });
  lay(path, file, log);
  t.equal(open(t, path), WRITES + 1);
});

t.test('open > a bit of the log flipped > refused where the damage is', async (t) => {
  const { path, file, log } = leaveLog(t);
  const frames = (log.length - LOG_HEADER_SIZE) / FRAME_SIZE;
  const last = frames - frames / WRITES;
  for (let frame = 0; frame < frames; frame++) {
    const at = LOG_HEADER_SIZE + frame * FRAME_SIZE;
    // In the page, the number of the page, the salt, the checksum.
    for (const offset of frame % 2 === 0 ? [1_000, 9] : [3, 17]) {
      const flipped = Buffer.from(log);
      flipped[at + offset]! ^= 1 << (frame % 8);
      lay(path, file, flipped);
      // The last write may have been under way.
      if (frame >= last) t.equal(open(t, path), WRITES - 1);
      else t.match(open(t, path), `vault.db-wal is damaged at byte ${at}, so that writes stored after it`);
    }
  }
  const header = Buffer.from(log);
  header[13]! ^= 1;
  lay(path, file, header);
  t.match(open(t, path), /is damaged at byte 0/);
});

t.test('open > a newer schema that is only in the log > refused, untouched', async (t) => {
  const { path, file, log } = leaveLog(t, (db) => db.pragma('user_version = 99'));
  lay(path, file, log);
  t.match(open(t, path), /has schema 99, newer than/);
});

t.test('open > the first page torn by a power failure > the log has it, and it opens', async (t) => {
  const { path, file, log } = leaveLog(t, (db) => db.pragma(`user_version = ${SCHEMA_VERSION}`));
  const torn = Buffer.from(file);
  torn.fill(0xa5, 0, 512);
  lay(path, torn, log);
  t.equal(open(t, path), WRITES);
  lay(path, Buffer.alloc(file.length, 'a text '), log);
  t.match(open(t, path), /cannot be read: (it is no SQLite database|SQLITE_\w+); restore it from a backup/);
});
