/** Reads that wait for the owner: what waits, what the owner is told, and what each answer does. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Answer, ask, type RequestOptions } from './fixtures/ask.ts';
import { listEntries } from './fixtures/audit-files.ts';
import { startDaemon } from './fixtures/daemon.ts';

t.setTimeout(550_000);

const daemon = await startDaemon(t);
const session = readFileSync(`${daemon.socket}.session`, 'utf8').trim();
const { token: reader, id: readerId } = await daemon.createToken(['read']);
const asSession = (method: string, target: string, options: RequestOptions = {}) =>
  daemon.ask(method, target, { token: session, ...options });

for (const [name, confirm] of [
  ['always', 'always'],
  ['session', 'session'],
  ['free', 'never'],
])
  await asSession('PUT', `/v1/secrets/${name}`, { body: { value: `value of ${name}`, confirm } });
await asSession('PUT', '/v1/secrets/always/fields/user', { body: { value: 'me' } });
await asSession('PUT', '/v1/secrets/later', { body: { value: 'old' } });
await asSession('PATCH', '/v1/secrets/later', { body: { confirm: 'always' } });

type Pending = Record<string, any>;
const listPending = async (wait = 0): Promise<Pending[]> =>
  (await asSession('GET', `/v1/approvals?wait=${wait}`)).json.approvals;
const decide = (id: string, verdict: 'approve' | 'deny') =>
  asSession('POST', `/v1/approvals/${id}/${verdict}`);

/** Sends a request, answers what the owner is asked, and returns the answer and the question; null if none was asked. */
async function readAnd(
  verdict: 'approve' | 'deny',
  target: string,
  options: RequestOptions = {},
  method = 'GET',
) {
  const answer = daemon.ask(method, target, { token: reader, ...options });
  const pending = (async () => (await listPending(10))[0] as Pending)();
  const first = await Promise.race([answer.then(() => null), pending]);
  if (first !== null) t.equal((await decide(first.id, verdict)).status, 200);
  return { answer: await answer, asked: first };
}

const isRefused = (t: Test, { status, json }: Answer, reason: string, message?: string) =>
  t.match([status, json.code, json.reason], [403, 'not_approved', reason], message ?? reason);

t.test('read > the secret asks always > waits, names all, and one yes is for one request', async (t) => {
  const { answer, asked } = await readAnd('approve', '/v1/secrets/always', {
    headers: { 'X-Purpose': 'to deploy' },
  });
  t.match([answer.status, answer.json.value, answer.json.fields], [200, 'value of always', { user: 'me' }]);
  t.match(asked, {
    id: /^[0-9a-f]{16}$/,
    operation: 'secrets.get',
    principal: { id: readerId, name: String },
    uid: process.geteuid?.(),
    pid: process.pid,
    purpose: 'to deploy',
    secrets: [{ name: 'always', environment: '', confirm: 'always' }],
  });
  t.notOk('field' in (asked?.secrets[0] ?? {}));
  // A daemon of root's behind Landlock does not know it.
  t.ok(['node', null].includes(asked?.program));
  t.equal(Date.parse(asked?.expires_at) - Date.parse(asked?.asked_at), 60_000);
  t.ok((await readAnd('approve', '/v1/secrets/always')).asked, 'and is asked for again');
  t.strictSame(await listPending(), []);
});

t.test('read > each route that gives values > waits', async (t) => {
  const routes: [target: string, options?: RequestOptions, method?: string, field?: string][] = [
    ['/v1/secrets/always/value'],
    ['/v1/secrets/always/fields'],
    ['/v1/secrets/always/fields/user', {}, 'GET', 'user'],
    ['/v1/secrets/always/fields/user/value', {}, 'GET', 'user'],
    ['/v1/secrets/always?version=1'],
    ['/v1/secrets/later?version=1'],
    ['/v1/secrets/later/value?version=1'],
    ['/v1/secrets/batch-get', { body: { refs: [{ name: 'always' }] } }, 'POST'],
    ['/v1/secrets/always', { token: session }],
  ];
  for (const [target, options, method, field] of routes) {
    const { answer, asked } = await readAnd('approve', target, options, method);
    t.equal(answer.status, 200, target);
    t.ok(asked, `${target} is asked for`);
    if (field !== undefined) t.equal(asked?.secrets[0].field, field);
  }
  for (const target of ['/v1/secrets', '/v1/secrets/always/versions', '/v1/secrets/always/fields?names=true'])
    t.notOk((await readAnd('approve', target)).asked, `${target} gives no value`);
});

t.test('read > the owner said yes or no > the audit log has both', async (t) => {
  const headers = { 'X-Request-Id': 'asked-yes' };
  await readAnd('approve', '/v1/secrets/always/value', { headers });
  await readAnd('deny', '/v1/secrets/always/value', { headers: { 'X-Request-Id': 'asked-no' } });
  const results = (id: string) =>
    listEntries(daemon)
      .filter(({ request }) => request === id)
      .map(({ result, approved }) => [result, approved]);
  t.same(results('asked-yes'), [
    ['not_approved', undefined],
    ['ok', true],
  ]);
  t.same(results('asked-no'), [['not_approved', undefined]]);
  // The answer to a decision does not wait for its entry.
  const listDecided = () => listEntries(daemon).filter(({ op }) => op.startsWith('approvals.'));
  while (listDecided().at(-1)?.op !== 'approvals.deny') await sleep(20);
  t.match(listDecided().slice(-2), [
    { op: 'approvals.approve', by: 'session', pid: process.pid, secrets: [{ name: 'always' }], result: 'ok' },
    { op: 'approvals.deny', by: 'session', secrets: [{ name: 'always' }], result: 'ok' },
  ]);
});

t.test('read > the owner says no, or nobody may be asked > 403, and nothing of the value', async (t) => {
  const { answer } = await readAnd('deny', '/v1/secrets/always/value');
  isRefused(t, answer, 'denied');
  const never = await daemon.ask('GET', '/v1/secrets/always', { headers: { 'X-Approval': 'never' } });
  isRefused(t, never, 'needs_approval');
  t.notMatch(answer.text + never.text, /value of/);
  t.equal((await decide('0123456789abcdef', 'approve')).status, 404);
  for (const bad of ['yes', '', 'ASK', '0123'])
    t.match(await daemon.ask('GET', '/v1/secrets/free', { headers: { 'X-Approval': bad } }), { status: 400 });
});

t.test('read > the secret asks once a session > one yes for a principal and a program', async (t) => {
  t.ok((await readAnd('approve', '/v1/secrets/session')).asked);
  const again = await readAnd('deny', '/v1/secrets/session');
  t.match([again.answer.status, again.asked], [200, null]);
  t.ok(
    (await readAnd('approve', '/v1/secrets/session', { token: daemon.admin })).asked,
    'another token is asked',
  );
});

t.test('batch and export > several secrets ask > one question names them all', async (t) => {
  const { token } = await daemon.createToken(['read']);
  const refs = ['free', 'always', 'session', 'always', 'none'].map((name) => ({ name }));
  const { answer, asked } = await readAnd(
    'approve',
    '/v1/secrets/batch-get',
    { body: { refs }, token },
    'POST',
  );
  t.strictSame(
    asked?.secrets.map(({ name }: Pending) => name),
    ['always', 'session'],
  );
  t.strictSame(
    answer.json.secrets.map(({ value, code }: Pending) => value ?? code),
    ['value of free', 'value of always', 'value of session', 'value of always', 'not_found'],
  );
  const exported = await readAnd('approve', '/v1/export?limit=10', { token: reader });
  t.strictSame(
    exported.asked?.secrets.map(({ name }: Pending) => name),
    ['always', 'later', 'session'],
  );
  t.equal(exported.answer.json.length, 4);
});

t.test('X-Approval: ask > approved, repeated > carried out once, for the same request only', async (t) => {
  const headers = { 'X-Approval': 'ask' };
  const first = await asSession('GET', '/v1/secrets/always', { headers });
  isRefused(t, first, 'needs_approval');
  const { id } = first.json.approval;
  t.strictSame(await listPending(), [], 'the session asks by itself');
  const repeat = (target = '/v1/secrets/always', token = session) =>
    daemon.ask('GET', target, { token, headers: { 'X-Approval': id } });
  await decide(id, 'approve');
  t.equal((await decide(id, 'deny')).status, 404, 'it is decided');
  const other = repeat('/v1/secrets/always/value');
  const [waiting] = await listPending(10);
  await decide(waiting?.id, 'deny');
  isRefused(t, await other, 'denied', 'another request');
  t.equal((await repeat()).json.value, 'value of always');
  const used = repeat();
  const [again] = await listPending(10);
  await decide(again?.id, 'deny');
  isRefused(t, await used, 'denied', 'it is used up');
});

t.test('approvals > by a token of any scope > 403', async (t) => {
  for (const [method, target] of [
    ['GET', '/v1/approvals'],
    ['POST', '/v1/approvals/0123456789abcdef/approve'],
    ['POST', '/v1/approvals/0123456789abcdef/deny'],
  ] as const) {
    t.equal((await daemon.ask(method, target)).status, 403);
    t.equal((await ask(daemon.socket, method, target)).status, 401);
  }
  for (const wait of ['61', '-1', 'x', '1.5', ''])
    t.equal((await asSession('GET', `/v1/approvals?wait=${wait}`)).status, 400, wait);
});
