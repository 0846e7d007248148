/** Tokens that may be used only so often: uses are counted before the answer, and no crash brings one back. */
import t from 'tap';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { createSandbox } from './fixtures/vault.ts';

const emptied = await shareDaemon(t);

t.test('max_uses > more requests than uses > exactly so many are answered', async (t) => {
  const daemon = await emptied();
  await daemon.ask('PUT', '/v1/secrets/s', { body: { value: 'v' } });
  for (const uses of [1, 3, 60]) {
    const { token, id } = await daemon.createToken(['read', 'write'], { max_uses: uses });
    const reads = Array.from({ length: uses + 5 }, () => daemon.ask('GET', '/v1/secrets/s', { token }));
    const statuses = (await Promise.all(reads)).map(({ status }) => status);
    t.equal(statuses.filter((status) => status === 200).length, uses, `${uses} at once`);
    t.equal(statuses.filter((status) => status === 401).length, 5);
    const write = await daemon.ask('PUT', '/v1/secrets/s', { token, body: { value: 'changed' } });
    t.match([write.status, write.json.error], [401, 'the token has been used as often as it may be']);
    t.match((await daemon.ask('GET', `/v1/tokens/${id}`)).json, { max_uses: uses, uses });
  }
  t.match((await daemon.ask('GET', '/v1/secrets/s')).json, { value: 'v', version: 1 }, 'nothing was written');
});

t.test('max_uses > what is refused > is not counted', async (t) => {
  const daemon = await emptied();
  const { token } = await daemon.createToken(['read'], { max_uses: 1 });
  t.equal((await daemon.ask('PUT', '/v1/secrets/s', { token, body: { value: 'v' } })).status, 403);
  t.equal(
    (await daemon.ask('GET', '/v1/secrets?limit=0', { token })).status,
    400,
    'a request that is not well-formed',
  );
  t.equal((await daemon.ask('GET', '/v1/nothing', { token })).status, 404);
  t.equal((await daemon.ask('GET', '/v1/secrets', { token })).status, 401, 'the request before last was one');
});

t.test('max_uses > the daemon is killed, or stops > no use is there twice, and few are lost', async (t) => {
  const sandbox = createSandbox(t);
  const first = await startDaemon(t, { sandbox });
  await first.ask('PUT', '/v1/secrets/s', { body: { value: 'v' } });
  const few = await first.createToken(['read'], { max_uses: 3 });
  const many = await first.createToken(['read'], { max_uses: 100 });
  const read = async (token: string) => (await ask(sandbox.socket, 'GET', '/v1/secrets/s', { token })).status;
  t.equal(await read(few.token), 200);
  t.equal(await read(many.token), 200);
  await first.stop('SIGKILL');
  const second = await startDaemon(t, { sandbox, init: null, token: false });
  t.equal(await read(few.token), 200);
  await second.stop();
  const third = await startDaemon(t, { sandbox, init: null, token: false });
  t.same([await read(few.token), await read(few.token)], [200, 401]);
  let answered = 0;
  while ((await read(many.token)) === 200) answered += 1;
  t.ok(answered >= 94 && answered <= 99, `${answered} of the 99 that were left`);
  await third.stop();
});

t.test(
  'tokens.rotate > a counted token, with an overlap > both together have no more uses than one',
  async (t) => {
    const daemon = await startDaemon(t);
    await daemon.ask('PUT', '/v1/secrets/s', { body: { value: 'v' } });
    const first = await daemon.createToken(['read'], { max_uses: 40 });
    const count = async (token: string) => {
      let answered = 0;
      while ((await daemon.ask('GET', '/v1/secrets/s', { token })).status === 200) answered += 1;
      return answered;
    };
    const { status } = await daemon.ask('GET', '/v1/secrets/s', { token: first.token });
    const rotation = { token: first.token, body: { overlap: '1h' } };
    const { json: second } = await daemon.ask('POST', `/v1/tokens/${first.id}/rotate`, rotation);
    t.equal(status, 200);
    const [ofOld, ofNew] = [await count(first.token), await count(second.token)];
    t.ok(ofNew > 0);
    // One read and the rotation are uses too.
    t.ok(ofOld + ofNew + 2 <= 40, `${ofOld} and ${ofNew}`);
  },
);

t.test('max_uses > a counted token is revoked > the daemon stops as ever', async (t) => {
  const daemon = await startDaemon(t);
  const { token, id } = await daemon.createToken(['read'], { max_uses: 100 });
  t.equal((await daemon.ask('GET', '/v1/secrets', { token })).status, 200);
  t.equal((await daemon.ask('DELETE', `/v1/tokens/${id}`)).status, 200);
  const { code, stderr } = await daemon.stop();
  t.equal(code, 0, stderr);
});

t.test('tokens.create > by a counted token > refused', async (t) => {
  const daemon = await emptied();
  const { token } = await daemon.createToken(['admin'], { max_uses: 5 });
  const made = await daemon.ask('POST', '/v1/tokens', { token, body: { name: 'child', scopes: ['read'] } });
  t.match([made.status, made.json.code], [403, 'forbidden']);
  for (const max_uses of [0, -1, 1.5, '3', 2e9]) {
    const body = { name: 'wrong', scopes: ['read'], max_uses };
    t.equal((await daemon.ask('POST', '/v1/tokens', { body })).status, 400, String(max_uses));
  }
});
