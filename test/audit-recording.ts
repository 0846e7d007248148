/** What the daemon and short commands write into the audit log: every call on secrets, tokens and keys, and never a value. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { listEntries, readLog } from './fixtures/audit-files.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { createVault, mav } from './fixtures/vault.ts';

const SECRET = 'a-value-that-must-not-be-logged';

t.test('audit > reads and writes of a daemon > each has an entry before its answer', async (t) => {
  const daemon = await startDaemon(t);
  const body = { value: SECRET, metadata: { note: SECRET } };
  await daemon.ask('PUT', '/v1/secrets/DB?env=prod', { body, headers: { 'X-Request-Id': 'put-1' } });
  const [put] = listEntries(daemon).slice(-1);
  t.match(put, {
    op: 'secrets.put',
    request: 'put-1',
    uid: process.getuid?.(),
    pid: process.pid,
    secrets: [{ name: 'DB', environment: 'prod', version: 1, change: 'set' }],
    result: 'ok',
  });
  await daemon.ask('PUT', '/v1/secrets/DB/fields/url?env=prod', { body: { value: SECRET } });
  const headers = { 'X-Purpose': 'deploy' };
  await daemon.ask('GET', '/v1/secrets/DB?env=prod', { headers });
  const read = { name: 'DB', environment: 'prod', version: 2, value: true, fields: ['url'], read: true };
  t.match(
    listEntries(daemon).find(({ op }) => op === 'secrets.get'),
    {
      purpose: 'deploy',
      secrets: [read],
      result: 'ok',
    },
  );
  await daemon.ask('GET', '/v1/secrets/none');
  t.match(
    listEntries(daemon).find(({ result }) => result === 'not_found'),
    { op: 'secrets.get', secrets: [{ name: 'none', environment: '' }] },
    'what was asked for in vain',
  );
});

t.test('audit > a read in batches, an export and a list > names what was read, and only that', async (t) => {
  const daemon = await startDaemon(t);
  for (const name of ['a', 'b']) await daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value: SECRET } });
  await daemon.ask('POST', '/v1/secrets/batch-get', { body: { refs: [{ name: 'b' }, { name: 'c' }] } });
  await daemon.ask('GET', '/v1/export');
  await daemon.ask('GET', '/v1/secrets?env=prod');
  const read = (op: string) => listEntries(daemon).find((entry) => entry.op === op);
  const names = (op: string) => read(op)?.secrets?.map(({ name }) => name);
  t.same(names('secrets.batchGet'), ['b']);
  t.same(names('secrets.export'), ['a', 'b']);
  t.match(read('secrets.list'), { environment: 'prod' });
  t.equal(read('secrets.list')?.secrets, undefined);
});

t.test('audit > tokens and keys > who made, used and revoked what, and never a token', async (t) => {
  const daemon = await startDaemon(t);
  const made = await daemon.ask('POST', '/v1/tokens', { body: { name: 'ci', scopes: ['read'] } });
  await daemon.ask('GET', '/v1/secrets', { token: made.json.token });
  await daemon.ask('DELETE', `/v1/tokens/${made.json.id}`);
  t.equal((await mav(daemon, ['seal'])).code, 0);
  t.equal((await mav(daemon, ['unseal'])).code, 0);
  const ops = listEntries(daemon).map(({ op, by, token, token_name: name }) => [op, by, token, name]);
  t.match(
    ops.filter(([op]) => op !== 'vault.unseal'),
    [
      ['tokens.create', 'session', /./, 'test'],
      ['tokens.create', /./, made.json.id, 'ci'],
      ['secrets.list', made.json.id, undefined, undefined],
      ['tokens.revoke', /./, made.json.id, 'ci'],
      ['vault.seal', 'session', undefined, undefined],
    ],
  );
  t.ok(ops.some(([op, by]) => op === 'vault.unseal' && by === 'session'));
  t.notOk(readLog(daemon).includes('mvt_'));
});

t.test('audit > a token without the scope asks > it is noted that it was refused', async (t) => {
  const daemon = await startDaemon(t);
  const { token, id } = await daemon.createToken(['generate']);
  const asked = [
    ['GET', '/v1/secrets/DB/value?env=prod'],
    ['PUT', '/v1/secrets/DB'],
    ['POST', '/v1/keys/rotate'],
    ['DELETE', `/v1/tokens/${id}`],
    ['POST', '/v1/approvals/0123456789abcdef/approve'],
  ] as const;
  for (const [method, target] of asked) {
    const headers = { 'X-Purpose': 'a try' };
    t.equal((await daemon.ask(method, target, { token, headers })).status, 403, target);
  }
  await daemon.ask('GET', '/v1/info');
  await daemon.stop();
  const entries = listEntries(daemon).filter(({ by }) => by === id);
  t.same(
    entries.map(({ op, result, purpose, secrets, token }) => [op, result, purpose, secrets ?? token]),
    [
      ['values.get', 'forbidden', 'a try', [{ name: 'DB', environment: 'prod' }]],
      ['secrets.put', 'forbidden', 'a try', [{ name: 'DB', environment: '' }]],
      ['keys.rotate', 'forbidden', 'a try', undefined],
      ['tokens.revoke', 'forbidden', 'a try', id],
      ['approvals.approve', 'forbidden', 'a try', undefined],
    ],
  );
});

t.test(
  'audit > any call with a value > no value is in the folder, and nobody else may read it',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/a', { body: { value: SECRET, metadata: { note: SECRET } } });
    await daemon.ask('PUT', '/v1/secrets/a/value', { body: Buffer.from(SECRET) });
    await daemon.ask('GET', '/v1/secrets/a');
    await daemon.ask('GET', '/v1/search?q=val');
    t.notOk(readLog(daemon).includes(SECRET));
    const folder = join(daemon.home, 'audit');
    t.equal(statSync(folder).mode & 0o777, 0o700);
    for (const file of readdirSync(folder)) t.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  },
);

t.test('audit > commands without a daemon > all go on in one file', async (t) => {
  const sandbox = await createVault(t);
  t.equal((await mav(sandbox, ['set', 'a', '--value', 'v'])).code, 0);
  t.equal((await mav(sandbox, ['get', 'a'])).stdout, 'v');
  t.equal((await mav(sandbox, ['get', 'a'])).stdout, 'v');
  const entries = listEntries(sandbox).filter(({ op }) => op.startsWith('values.'));
  t.same(
    entries.map(({ op, by }) => [op, by]),
    [
      ['values.put', 'session'],
      ['values.get', 'session'],
      ['values.get', 'session'],
    ],
  );
  t.equal(readdirSync(join(sandbox.home, 'audit')).length, 1);
  t.match(await mav(sandbox, ['audit', 'verify']), { code: 0 });
});
