/** The segments of the audit log: lent and given back, followed by others, dropped, and opened with the keys of the vault alone. */
import { once } from 'node:events';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { verifyLog } from '../workers/audit/reading/verify-log.ts';
import { SegmentBorrower } from '../workers/audit/writing/borrower.ts';
import { WriterLog } from '../workers/audit/writing/writer-log.ts';
import type { Call } from '../workers/messages.ts';
import { Rotation } from '../workers/rotation/rotation.ts';
import { Vault } from '../workers/vault.ts';
import { listEntries, listSegmentPaths } from './fixtures/audit-files.ts';
import { createVault, knowVault, type Sandbox } from './fixtures/vault.ts';

const words = () => new SharedArrayBuffer(7 * Int32Array.BYTES_PER_ELEMENT);

/** Opens the vault in this thread, as a writer. */
async function openWriter(sandbox: Sandbox): Promise<{ vault: Vault; log: WriterLog }> {
  const vault = new Vault(
    {
      ...knowVault(sandbox),
      databasePath: sandbox.databasePath,
      ...{ startNumber: 1, readers: 1, passphraseFile: null, credentialsDirectory: null },
      ...{ keychainTimeoutMs: 1_000, mayBeTraced: true },
      ...{ damage: words(), auditTaken: words(), longWork: words() },
      knownNow: new SharedArrayBuffer(8),
    },
    'writing',
  );
  await vault.unseal();
  return { vault, log: WriterLog.of(vault, () => {}) };
}

const CALL: Call = { operation: 'secrets.list', params: {}, body: null, mayReplace: true };

/** Records a read in the writer's own segment. */
function record({ log }: { log: WriterLog }): Promise<void> {
  return log.run((open) => {
    const lines = log.begin(open);
    lines.add(CALL, { ok: true, offset: 0, length: 2 }, { read: [], changed: [], token: null });
    log.append(open, lines);
  });
}

async function rotate({ vault, log }: { vault: Vault; log: WriterLog }): Promise<void> {
  const rotation = new Rotation(vault, {
    onWrite: () => {},
    onCurrent: () => log.retire(),
    onEnd: ({ generation, left }) => log.recordRotation(generation, left.count),
  });
  const { end } = await rotation.begin({ reencrypts: false, isOfRoot: false }, async (store) =>
    store(await vault.readRootKey(null), () => {}),
  );
  await end;
}

async function problemsOf(vault: Vault): Promise<unknown> {
  const { audit } = await vault.getOpenVault();
  return verifyLog(audit, audit.listSegments()).problems;
}

function listRows({ databasePath }: Sandbox): { id: number; closed_at: number }[] {
  const db = new Database(databasePath, { readonly: true });
  const rows = db
    .prepare<[], { id: number; closed_at: number }>('SELECT id, closed_at FROM audit_segments')
    .all();
  db.close();
  return rows;
}

t.test('audit > the key is rotated > another segment follows, and the old ones still verify', async (t) => {
  const sandbox = await createVault(t);
  const writer = await openWriter(sandbox);
  await record(writer);
  await rotate(writer);
  await record(writer);
  t.match(listRows(sandbox), [
    { id: 1, closed_at: Number },
    { id: 2, closed_at: 0 },
  ]);
  t.ok((listRows(sandbox)[0]?.closed_at ?? 0) > 0);
  t.same(await problemsOf(writer.vault), []);
  t.match(
    listEntries(sandbox).map(({ op }) => op),
    ['secrets.list', 'keys.rotated', 'secrets.list'],
  );
});

t.test('audit > a batch that says what was found is rolled back > the next one says it, once', async (t) => {
  const sandbox = await createVault(t);
  const first = await openWriter(sandbox);
  await record(first);
  first.log.rest();
  const [path = ''] = listSegmentPaths(sandbox);
  truncateSync(path, readFileSync(path).length - 1);
  const writer = await openWriter(sandbox);
  await writer.log.run((open) => {
    const lines = writer.log.begin(open);
    t.match(lines.text, /audit\.broken/);
    t.throws(() =>
      open.transactions.write(() => {
        writer.log.store(open, lines);
        throw new Error('rolled back');
      }),
    );
  });
  await record(writer);
  await record(writer);
  t.equal(listEntries(sandbox).filter(({ op }) => op === 'audit.broken').length, 1);
});

t.test('audit > segments that were closed long ago > are dropped, and the log says so', async (t) => {
  const sandbox = await createVault(t);
  const writer = await openWriter(sandbox);
  for (let round = 0; round < 3; round++) {
    await record(writer);
    await rotate(writer);
  }
  await record(writer);
  const [first = '', second = ''] = listSegmentPaths(sandbox);
  const dropOld = (before: number) => writer.log.dropOld(before);
  dropOld(0);
  t.ok(existsSync(first), 'none is that old');
  dropOld(Date.now() / 1000 + 10);
  t.notOk(existsSync(first) || existsSync(second));
  t.match(
    listEntries(sandbox).find(({ op }) => op === 'audit.dropped'),
    { through: 3, entries: 5 },
  );
  t.same(await problemsOf(writer.vault), []);
});

/** A reader's end of a log, and how its thread ends: resolves when the writer has heard of it. */
function connectReader(t: Test, log: WriterLog): { reader: SegmentBorrower; end: () => Promise<unknown> } {
  const { port1, port2 } = new MessageChannel();
  const reader = new SegmentBorrower();
  log.connect(port1);
  reader.connect(port2);
  t.teardown(() => port2.close());
  const end = () => {
    const heard = once(port1, 'close');
    port2.close();
    return heard;
  };
  return { reader, end };
}

t.test(
  'audit > readers borrow > each has a segment of its own, and a dead one leaves its to the next',
  async (t) => {
    const sandbox = await createVault(t);
    const { vault, log } = await openWriter(sandbox);
    const open = await vault.getOpenVault();
    // The channels keep no thread alive.
    const alive = setInterval(() => {}, 1_000);
    t.teardown(() => clearInterval(alive));
    const readers = [connectReader(t, log), connectReader(t, log)];
    for (const { reader } of readers) {
      t.notOk(reader.isReady(open));
      await reader.prepare();
      t.ok(reader.isReady(open));
      reader.append(
        '{"at":"2026-01-01T00:00:00.000Z","seq":1,"op":"secrets.list","by":"","result":"ok"}\n',
        1,
      );
      t.equal(reader.nextEntry, 2);
    }
    t.equal(listSegmentPaths(sandbox).length, 2);
    await readers[0]?.end();
    const { reader: next } = connectReader(t, log);
    await next.prepare();
    t.ok(next.isReady(open));
    t.equal(next.nextEntry, 2, 'it goes on where the dead one ended');
    t.equal(listSegmentPaths(sandbox).length, 2);
  },
);

t.test('audit > the row or the key of a segment is another one > it is not used', async (t) => {
  const changes = [
    'UPDATE audit_segments SET opened_at = opened_at - 1',
    'UPDATE audit_segments SET bytes = bytes + 1',
    'UPDATE audit_segments SET entries = entries + 1',
    'UPDATE audit_segments SET mac = randomblob(32), bytes = 1',
    'UPDATE audit_segments SET wrapped_key = randomblob(length(wrapped_key))',
    'UPDATE audit_segments SET id = 7',
  ];
  for (const sql of changes) {
    const sandbox = await createVault(t);
    const first = await openWriter(sandbox);
    await record(first);
    first.log.rest();
    const db = new Database(sandbox.databasePath);
    db.exec(sql);
    db.close();
    const before = readFileSync(join(sandbox.home, 'audit', '00000001.jsonl'));
    const next = await openWriter(sandbox);
    await record(next);
    t.same(
      readFileSync(join(sandbox.home, 'audit', '00000001.jsonl')),
      before,
      `${sql}: nothing is appended`,
    );
    t.not(((await problemsOf(next.vault)) as unknown[]).length, 0, `${sql}: and verifying finds it`);
  }
});
