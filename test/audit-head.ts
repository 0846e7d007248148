/** The end of the audit log, which the set MAC knows: a tail that was cut off behind the anchor, or together with its row, is noticed. */
import { cpSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { listEntries, listSegmentPaths } from './fixtures/audit-files.ts';
import { checkAll } from './fixtures/checks.ts';
import { waitFor } from './fixtures/clipboard.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { type AskHeld, createHeldVault, hold } from './fixtures/held.ts';
import { mav, type Sandbox } from './fixtures/vault.ts';

const put = async (ask: AskHeld, ...names: readonly string[]) => {
  for (const name of names) await ask('PUT', `/v1/secrets/${name}`, { body: { value: name } });
};

/** Opens the vault, sets secrets, and closes the vault. */
async function set(t: Test, sandbox: Sandbox, ...names: readonly string[]): Promise<void> {
  const { ask, close } = await hold(t, sandbox);
  await put(ask, ...names);
  await close();
}

/** Runs SQL on the vault's file, as somebody without the key can. */
function change({ databasePath }: Sandbox, sql: string): void {
  const db = new Database(databasePath, { timeout: 5_000 });
  db.exec(sql);
  db.close();
}

/** The file of the segment that has the entry of the first write of `name`, and its number. */
function findWrite(sandbox: Sandbox, name: string): { readonly path: string; readonly segment: number } {
  const path = listSegmentPaths(sandbox).find((each) =>
    readFileSync(each, 'utf8').includes(`"secrets":[{"name":"${name}"`),
  );
  if (path === undefined) throw new Error(`no entry has ${name}`);
  return { path, segment: Number(/(\d+)\.jsonl$/.exec(path)?.[1]) };
}

const logOf = (sandbox: Sandbox) => join(sandbox.home, 'audit');
const copyOf = (sandbox: Sandbox) => join(sandbox.folder, 'copied-audit');

/** Puts the log back as it was when it was copied, with its rows. */
function copyLog(sandbox: Sandbox): () => void {
  cpSync(logOf(sandbox), copyOf(sandbox), { recursive: true });
  const db = new Database(sandbox.databasePath);
  const rows = db.prepare<[], Record<string, unknown>>('SELECT * FROM audit_segments').all();
  db.close();
  return () => {
    rmSync(logOf(sandbox), { recursive: true });
    cpSync(copyOf(sandbox), logOf(sandbox), { recursive: true });
    const changed = new Database(sandbox.databasePath);
    changed.exec('DELETE FROM audit_segments; DELETE FROM audit_writes');
    for (const row of rows) {
      const columns = Object.keys(row);
      const values = columns.map((column) => `@${column}`);
      changed.prepare(`INSERT INTO audit_segments (${columns}) VALUES (${values})`).run(row);
    }
    changed.close();
  };
}

async function verify(ask: AskHeld): Promise<readonly { segment: number; problem: string }[]> {
  return (await ask('GET', '/v1/audit/verify')).json.problems;
}

t.test('audit.verify > the tail behind the anchor was cut off > truncated', async (t) => {
  const { ask, sandbox } = await hold(t, await createHeldVault(t));
  await put(ask, 'a');
  const { path, segment } = findWrite(sandbox, 'a');
  const { size } = statSync(path);
  await put(ask, 'b', 'c');
  t.strictSame(await verify(ask), []);
  truncateSync(path, size);
  change(sandbox, 'DELETE FROM audit_writes');
  t.match(await verify(ask), [{ segment, problem: 'truncated' }]);
  const { damaged } = await checkAll(ask);
  t.match(
    damaged.filter(({ table }) => table === 'audit'),
    [{ id: String(segment), detail: 'truncated' }],
  );
});

t.test(
  'audit.verify > the log was put back with its rows > truncated, and recorded, to the end',
  async (t) => {
    const sandbox = await createHeldVault(t);
    await set(t, sandbox, 'a');
    const putBack = copyLog(sandbox);
    await set(t, sandbox, 'lost');
    const { segment } = findWrite(sandbox, 'lost');
    putBack();
    for (const name of ['b', 'c']) {
      const { ask, close } = await hold(t, sandbox);
      await put(ask, name);
      t.match(
        (await verify(ask)).filter((each) => each.segment === segment),
        [{ problem: 'truncated' }],
        `with ${name}`,
      );
      await close();
    }
    t.match(
      listEntries(sandbox).filter(({ op }) => op === 'audit.broken'),
      [{ segment }],
    );
  },
);

t.test(
  'audit.verify > the segments were dropped with their rows > missing, and their numbers not given again',
  async (t) => {
    const sandbox = await createHeldVault(t);
    await set(t, sandbox, 'lost');
    const { segment } = findWrite(sandbox, 'lost');
    rmSync(logOf(sandbox), { recursive: true });
    change(sandbox, 'DELETE FROM audit_segments; DELETE FROM audit_writes');
    const { ask } = await hold(t, sandbox);
    t.match(await verify(ask), [{ problem: 'missing_segment' }]);
    await put(ask, 'a');
    t.match(await verify(ask), [{ problem: 'missing_segment' }]);
    t.ok(findWrite(sandbox, 'a').segment > segment);
    t.match(
      listEntries(sandbox).filter(({ op }) => op === 'audit.broken'),
      [{ segment }],
    );
  },
);

t.test('serve > the log was cut off while nothing ran > said in the log and by mav status', async (t) => {
  const sandbox = await createHeldVault(t);
  await set(t, sandbox, 'a');
  const putBack = copyLog(sandbox);
  await set(t, sandbox, 'lost');
  const { segment } = findWrite(sandbox, 'lost');
  putBack();
  const daemon = await startDaemon(t, { sandbox, init: null, token: false });
  const found = () => daemon.log().find(({ detail = '' }) => /the audit log was changed/.test(detail));
  await waitFor('the check of the log', () => found() !== undefined);
  t.match(found().detail, `segment ${segment}: truncated; run: mav audit verify`);
  t.match(await mav(sandbox, ['status']), { code: 1, stdout: new RegExp(`audit log, segment ${segment};`) });
  t.equal((await daemon.stop()).code, 0);
});
