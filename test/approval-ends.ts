/** Reads that wait for the owner, when something else happens: the client leaves, the vault is sealed, the token ends. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { Approvals, type Asking, type Verdict } from '../src/auth/approvals.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { waitUntil } from './fixtures/raw.ts';

t.setTimeout(550_000);

/** A daemon with a secret that asks, and ways to read it and to answer. */
async function serve(t: Test) {
  const daemon = await startDaemon(t);
  const session = readFileSync(`${daemon.socket}.session`, 'utf8').trim();
  await daemon.ask('PUT', '/v1/secrets/s', { body: { value: 'v', confirm: 'always' } });
  const asSession = (method: string, target: string) => daemon.ask(method, target, { token: session });
  const list = async (wait = 0) => (await asSession('GET', `/v1/approvals?wait=${wait}`)).json.approvals;
  const decide = async (verdict: 'approve' | 'deny') => {
    const [{ id }] = await list(10);
    return asSession('POST', `/v1/approvals/${id}/${verdict}`);
  };
  const read = (token: string) => daemon.ask('GET', '/v1/secrets/s/value', { token });
  return { daemon, session, asSession, list, decide, read };
}

t.test('read that waits > its client leaves > nobody is asked any more', async (t) => {
  const { daemon, list } = await serve(t);
  const socket = connect(daemon.socket);
  socket.write(`GET /v1/secrets/s HTTP/1.1\r\nAuthorization: Bearer ${daemon.admin}\r\n\r\n`);
  t.equal((await list(10)).length, 1);
  socket.destroy();
  await waitUntil(async () => (await list()).length === 0);
});

t.test('read that waits > its token is revoked, the vault is sealed > 401, 503', async (t) => {
  const { daemon, asSession, list, decide, read } = await serve(t);
  const { token, id } = await daemon.createToken(['read']);
  const revoked = read(token);
  await list(10);
  await daemon.ask('DELETE', `/v1/tokens/${id}`);
  await decide('approve');
  t.equal((await revoked).status, 401);
  const sealed = read(daemon.admin);
  await list(10);
  await asSession('POST', '/v1/seal');
  t.match(await sealed, { status: 503, json: { code: 'sealed' } });
});

t.test('session approval > the vault is sealed and unsealed > is asked for again', async (t) => {
  const { daemon, session, asSession, decide, read } = await serve(t);
  await daemon.ask('PATCH', '/v1/secrets/s', { body: { confirm: 'session' }, token: session });
  const first = read(daemon.admin);
  await decide('approve');
  t.equal((await first).status, 200);
  t.equal((await read(daemon.admin)).status, 200, 'not asked again');
  await asSession('POST', '/v1/seal');
  await asSession('POST', '/v1/unseal');
  const next = read(daemon.admin);
  await decide('deny');
  t.equal((await next).status, 403);
});

t.test('read that waits > the daemon is stopped > is answered, and the daemon ends', async (t) => {
  const { daemon, list, read } = await serve(t);
  const waiting = read(daemon.admin);
  await list(10);
  const [answer, { code }] = await Promise.all([waiting, daemon.stop()]);
  t.match([answer.status, answer.json.code, code], [403, 'not_approved', 0]);
});

t.test('token that asks > any secret > waits, and a use is counted once', async (t) => {
  const { daemon, session, decide } = await serve(t);
  await daemon.ask('PUT', '/v1/secrets/plain', { body: { value: 'plain' } });
  const make = (more: object) => daemon.createToken(['read'], more);
  const { token } = await make({ confirm: 'session' });
  const get = (given: string) => daemon.ask('GET', '/v1/secrets/plain/value', { token: given });
  const first = get(token);
  await decide('approve');
  t.equal((await first).text, 'plain');
  t.equal((await get(token)).text, 'plain', 'once a session');
  const counted = await make({ confirm: 'always', max_uses: 2 });
  for (let use = 0; use < 2; use++) {
    const answer = get(counted.token);
    await decide('approve');
    t.equal((await answer).text, 'plain');
  }
  t.equal((await get(counted.token)).status, 401);
  t.equal((await daemon.ask('GET', '/v1/secrets/plain/value', { token: session })).status, 200);
});

const asking = (change: Partial<Asking> = {}): Asking => ({
  principalId: 'p',
  asker: '{"uid":1000,"pid":7,"program":"curl"}',
  purpose: null,
  operation: 'secrets.get',
  request: 'GET /',
  tokenAsks: 0,
  needed: { secrets: [{ id: 3, name: 's', environment: '', fields: [''], asks: 1 }] },
  ...change,
});

t.test('Approvals > many requests > a bounded number waits', async (t) => {
  const approvals = new Approvals();
  approvals.canWait = true;
  const wait = (principalId: string) => approvals.wait(asking({ principalId }), () => {}) !== null;
  t.equal(Array.from({ length: 30 }, () => wait('one')).filter(Boolean).length, 20);
  const others = Array.from({ length: 200 }, (_, index) => wait(`other ${index}`));
  t.equal(others.filter(Boolean).length, 80);
  approvals.end();
  t.ok(wait('one'));
  approvals.end();
});

t.test('Approvals > nobody answers > the request is told, and a late answer finds none', async (t) => {
  const approvals = new Approvals(20);
  // Its own timers keep no process from ending.
  const running = setInterval(() => {}, 1_000);
  approvals.canWait = true;
  const verdict = await new Promise<Verdict>((resolve) => {
    approvals.wait(asking(), resolve);
    t.equal(approvals.list().length, 1);
  });
  clearInterval(running);
  t.strictSame([verdict, approvals.list()], ['not_answered', []]);
});

t.test('Approvals > a yes for the session > is for that principal, program and secret alone', async (t) => {
  const approvals = new Approvals();
  approvals.canWait = true;
  const grant = (given: Asking) => {
    approvals.wait(given, () => {});
    approvals.decide(approvals.list()[0]?.id ?? '', true);
  };
  grant(asking());
  const [secret] = asking().needed.secrets;
  const others: [what: string, change: Partial<Asking>, isCovered: boolean][] = [
    ['the same again', {}, true],
    ['another process of the program', { asker: '{"uid":1000,"pid":8,"program":"curl"}' }, true],
    ['another program', { asker: '{"uid":1000,"pid":7,"program":"node"}' }, false],
    ['no known program', { asker: '{"uid":1000,"pid":7,"program":null}' }, false],
    ['an unknown asker', { asker: null }, false],
    ['another principal', { principalId: 'q' }, false],
    ['a token that asks too', { tokenAsks: 1 }, false],
    ['another secret', { needed: { secrets: [{ ...secret, id: 4 } as never] } }, false],
    ['it asks always now', { needed: { secrets: [{ ...secret, asks: 2 } as never] } }, false],
  ];
  for (const [what, change, isCovered] of others) t.equal(approvals.covers(asking(change)), isCovered, what);
  const unknown = asking({ principalId: 'u', asker: null });
  grant(unknown);
  t.notOk(approvals.covers(unknown), 'nobody is known to give it to');
  approvals.end();
  t.notOk(approvals.covers(asking()));
});
