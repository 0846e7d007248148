/** What becomes of the audit log when the daemon is killed, the power fails, or somebody changes files while it is stopped. */
import { once } from 'node:events';
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { listEntries, listSegmentPaths, readLog } from './fixtures/audit-files.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { mav, type Sandbox } from './fixtures/vault.ts';

async function kill({ child }: Daemon): Promise<void> {
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
}

/** Starts the daemon of the same vault again. */
function startAgain(t: Test, sandbox: Sandbox): Promise<Daemon> {
  return startDaemon(t, { sandbox, init: null, token: false });
}

const opsOf = (sandbox: Sandbox) => listEntries(sandbox).map(({ op }) => op);

async function verify(sandbox: Sandbox): Promise<{ status: string; problems: any[] }> {
  const { stdout } = await mav(sandbox, ['audit', 'verify', '-o', 'json']);
  return JSON.parse(stdout);
}

/** The segment that has the entry of a write of `name`. */
function findWrite(sandbox: Sandbox, name: string): { path: string; line: string } {
  for (const path of listSegmentPaths(sandbox)) {
    const line = readFileSync(path, 'utf8')
      .split('\n')
      .find((each) => each.includes('"op":"secrets.put"') && each.includes(`"name":"${name}"`));
    if (line !== undefined) return { path, line };
  }
  throw new Error(`no entry has ${name}`);
}

t.test('audit > killed after an answer > has its entry, and goes on with it', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.ask('PUT', '/v1/secrets/a', { body: { value: 'v' } });
  await daemon.ask('GET', '/v1/secrets/a');
  await kill(daemon);
  t.ok(opsOf(daemon).includes('secrets.put'));
  t.ok(opsOf(daemon).includes('secrets.get'));
  await startAgain(t, daemon);
  t.match(await verify(daemon), { status: 'intact' });
});

t.test('audit > the power fails before a write is synced into the file > the database has it', async (t) => {
  const daemon = await startDaemon(t);
  const { path } = findWriter(daemon);
  const { size } = statSync(path);
  await daemon.ask('PUT', '/v1/secrets/a', { body: { value: 'v' } });
  await kill(daemon);
  truncateSync(path, size);
  t.notOk(opsOf(daemon).includes('secrets.put'), 'lost from the file');
  await startAgain(t, daemon);
  t.ok(opsOf(daemon).includes('secrets.put'), 'and back');
  t.match(await verify(daemon), { status: 'intact' });
});

/** The segment of the writer: it has the entry of the first unsealing. */
function findWriter(sandbox: Sandbox): { path: string } {
  const path = listSegmentPaths(sandbox).find((each) =>
    readFileSync(each, 'utf8').includes('"op":"vault.unseal"'),
  );
  if (path === undefined) throw new Error('nothing was unsealed');
  return { path };
}

t.test(
  'audit > a batch that only the database has is changed, moved or added > nothing of it is taken up',
  async (t) => {
    const harms = [
      "UPDATE audit_writes SET block = CAST(replace(CAST(block AS TEXT), 'stolen', 'others') AS BLOB)",
      'UPDATE audit_writes SET position = position + 1',
      'INSERT INTO audit_writes (segment, position, block) SELECT segment, position + length(block), block FROM audit_writes',
      'UPDATE audit_writes SET block = CAST(substr(block, 1, length(block) - 1) AS BLOB)',
    ];
    for (const harm of harms) {
      const daemon = await startDaemon(t);
      const { path } = findWriter(daemon);
      const { size } = statSync(path);
      await daemon.ask('PUT', '/v1/secrets/stolen', { body: { value: 'v' } });
      await kill(daemon);
      truncateSync(path, size);
      const db = new Database(daemon.databasePath);
      t.ok(db.prepare(harm).run().changes > 0, harm);
      db.close();
      await startAgain(t, daemon);
      t.notOk(readLog(daemon).includes('others'));
      t.ok(opsOf(daemon).includes('audit.broken'), 'the log says so');
      t.match(await mav(daemon, ['get', 'stolen']), { code: 0, stdout: 'v' }, 'and the vault works');
    }
  },
);

t.test('audit > the power fails in the middle of a batch > the rest of it goes, and is told', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.ask('GET', '/v1/secrets');
  await kill(daemon);
  const [path = ''] = listSegmentPaths(daemon).slice(-1);
  appendFileSync(path, '{"at":"2026-01-01T00:00:00.000Z","seq":9,"op":"secr');
  await startAgain(t, daemon);
  t.match(
    listEntries(daemon).find(({ op }) => op === 'audit.torn'),
    { bytes: 51 },
  );
  t.match(await verify(daemon), { status: 'intact' });
});

t.test(
  'audit > an entry is changed while nobody looks > the segment is closed as it is, and named',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/stolen', { body: { value: 'v' } });
    await kill(daemon);
    const { path, line } = findWrite(daemon, 'stolen');
    writeFileSync(path, readFileSync(path, 'utf8').replace(line, line.replace('stolen', 'others')));
    const changed = readFileSync(path);
    await startAgain(t, daemon);
    t.same(readFileSync(path), changed, 'what was found stays');
    const { status, problems } = await verify(daemon);
    t.equal(status, 'broken');
    t.match(problems, [{ problem: 'changed' }]);
    t.match(
      listEntries(daemon).find(({ op }) => op === 'audit.broken'),
      { segment: problems[0].segment },
    );
  },
);

t.test('audit > files are cut or removed after a clean stop > found', async (t) => {
  for (const harm of ['cut', 'removed'] as const) {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/a', { body: { value: 'v' } });
    await daemon.stop();
    const { path } = findWrite(daemon, 'a');
    if (harm === 'cut') truncateSync(path, readFileSync(path, 'utf8').indexOf('"op":"secrets.put"') - 60);
    else rmSync(path);
    t.match(await verify(daemon), { status: 'broken' }, harm);
    t.match(await mav(daemon, ['set', 'b', '--value', 'v']), { code: 0 }, 'and the vault still works');
  }
});
