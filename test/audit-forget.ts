/** A segment of the audit log that somebody changed: it is given up, the log says so, and no old KEK is kept for it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { asOwner, isWrappedUnderOne } from './fixtures/rotation.ts';
import { mav } from './fixtures/vault.ts';

t.test(
  'audit forget > the row of a segment was changed > given up, and the old KEK is forgotten',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/db', { body: { value: 'v' } });
    const rotate = async () => (await asOwner(daemon, 'POST', '/v1/keys/rotate')).json;
    t.match(await rotate(), { damaged_count: 0 });
    const db = new Database(daemon.databasePath);
    t.teardown(() => db.close());
    const [closed = 0] = db
      .prepare('SELECT id FROM audit_segments WHERE closed_at > 0')
      .pluck()
      .all() as number[];
    db.exec(`UPDATE audit_segments SET opened_at = opened_at + 1 WHERE id = ${closed}`);
    t.match(await rotate(), { damaged: [{ table: 'audit', id: `${closed}` }], kept_generations: [2] });
    const verify = async () => (await asOwner(daemon, 'GET', '/v1/audit/verify')).json;
    t.match(await verify(), { status: 'broken', problems: [{ segment: closed, problem: 'changed_row' }] });
    t.match(await mav(daemon, ['audit', 'forget', `${closed}`]), { code: 2, stderr: /--force/ });
    const run = await mav(daemon, ['audit', 'forget', `${closed}`, '--force']);
    t.match(run, { code: 0, stderr: /Gave up segment .*\nIts file lies in .*\.jsonl\.forgotten, / });
    t.match(await verify(), { status: 'intact', problem_count: 0 });
    const { entries } = (await asOwner(daemon, 'GET', '/v1/audit?operation=audit.*')).json;
    t.match(entries, [{ op: 'audit.forgotten', segment: closed }]);
    t.match(await mav(daemon, ['audit', '--operation', 'audit.*', '-o', 'table']), {
      stdout: /gave up a segment/,
    });
    t.match(await rotate(), { damaged_count: 0, kept_generations: [] });
    isWrappedUnderOne(t, daemon);
    t.equal((await mav(daemon, ['verify'])).code, 0);
  },
);

t.test('audit.forget > intact, written, or not there > refused', async (t) => {
  const daemon = await startDaemon(t);
  const forget = (id: string) => asOwner(daemon, 'POST', `/v1/audit/${id}/forget`);
  await daemon.ask('PUT', '/v1/secrets/db', { body: { value: 'v' } });
  await asOwner(daemon, 'POST', '/v1/keys/rotate');
  const db = new Database(daemon.databasePath, { readonly: true });
  const ids = db.prepare('SELECT id FROM audit_segments').pluck().all() as number[];
  db.close();
  for (const id of ids) t.match(await forget(`${id}`), { status: 409, json: { error: /is intact/ } });
  for (const id of ['0', '999', 'one', '1.5']) t.match(await forget(id), { status: 404 });
  t.equal((await daemon.ask('POST', `/v1/audit/${ids[0]}/forget`)).status, 403, 'with a token');
  t.ok(existsSync(join(daemon.home, 'audit')));
});
