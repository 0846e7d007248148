/** What lies in the daemon's memory when it has answered: as a debugger or a reader of its core dump would see it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { canReadMemory, findDaemonPid, readFlags, scanMemory } from './fixtures/process-memory.ts';
import { RawConnection } from './fixtures/raw.ts';
import { readKeyring } from './fixtures/stored.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

const SETTLED_MS = 200;
const SIZES = 25;
const skip = canReadMemory() ? false : 'the memory of another process cannot be read';

t.test(
  'daemon > values came, went and were refused > nothing of them is left in its memory',
  { skip },
  async (t) => {
    const daemon = await startDaemon(t, { sandbox: createSandbox(t, { NODE_V8_COVERAGE: undefined }) });
    // A part of a value is found, too.
    const tag = randomBytes(12).toString('hex');
    const value = tag.repeat(1_000);
    const needles = [tag, Buffer.from(tag).toString('base64')].map((name) => ({
      name,
      bytes: Buffer.from(name),
    }));
    const put = (body: unknown, token = daemon.admin) =>
      daemon.ask('PUT', '/v1/secrets/one', { body, token });
    t.equal((await put({ value })).status, 201);
    t.equal((await put({ value: Buffer.from(value).toString('base64'), encoding: 'base64' })).status, 201);
    t.equal((await daemon.ask('PUT', '/v1/secrets/two/value', { body: Buffer.from(tag) })).status, 201);
    t.equal((await daemon.ask('GET', '/v1/secrets/one')).json.value, value);
    t.equal((await daemon.ask('GET', '/v1/secrets/two/value')).text, tag);
    // Of many sizes: what is freed is soon overwritten by what is as large.
    for (let times = 1; times <= SIZES; times++) {
      await daemon.ask('PUT', '/v1/secrets/three', { body: { value: tag.repeat(times * times) } });
      await daemon.ask('GET', '/v1/secrets/three');
    }
    t.equal((await put({ value }, `mvt_${'0'.repeat(64)}`)).status, 401);
    t.equal((await put({ valeu: value })).status, 400);
    const kept = await RawConnection.open(daemon.socket);
    kept.write(`PUT /v1/secrets/one HTTP/1.1\r\nContent-Length: ${value.length}\r\n\r\n${value}`);
    t.equal((await kept.waitFor(1))[0]?.status, 401);
    kept.write(`${value}\r\n\r\n`);
    t.equal((await kept.waitFor(2))[1]?.status, 400, 'what is no request');
    await sleep(SETTLED_MS);
    const { hits, size } = scanMemory(findDaemonPid(daemon), needles);
    t.ok(size > 50e6);
    t.same(hits, []);
  },
);

t.test('scan > what the daemon holds > is found', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  const tag = randomBytes(12).toString('hex');
  // A name is no secret, and a list of them may be kept.
  t.equal((await daemon.ask('PUT', `/v1/secrets/${tag}`, { body: { value: 'v' } })).status, 201);
  const { hits } = scanMemory(findDaemonPid(daemon), [{ name: 'name', bytes: Buffer.from(tag) }]);
  t.ok(hits.length > 0);
});

t.test(
  'daemon > unsealed, then sealed > the KEK lies in locked memory without a place in dumps, then nowhere',
  { skip },
  async (t) => {
    const sandbox = createSandbox(t, { NODE_V8_COVERAGE: undefined });
    const keyFile = join(sandbox.folder, 'root.key');
    const daemon = await startDaemon(t, { sandbox, init: ['--key-store', 'file', '--key-file', keyFile] });
    await daemon.ask('PUT', '/v1/secrets/one', { body: { value: 'v' } });
    const pid = findDaemonPid(daemon);
    const needle = { name: 'KEK', bytes: Buffer.from(readKeyring(daemon.databasePath, keyFile).current.kek) };
    const { hits } = scanMemory(pid, [needle]);
    t.ok(hits.length >= 2, 'one for each thread');
    for (const { address } of hits) {
      const flags = readFlags(pid, address);
      t.ok(flags.includes('lo') && flags.includes('dd'), flags.join(' '));
    }
    t.equal((await mav(daemon, ['seal'])).code, 0);
    t.same(scanMemory(pid, [needle]).hits, []);
  },
);
