/** A rotation of the KEK beside requests: nothing fails, what is interrupted goes on, and what is damaged is named and left. */
import Database from 'better-sqlite3';
import t from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import { asOwner, fill, findNotIntact, isWrappedUnderOne } from './fixtures/rotation.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { finished, mav, spawnMav } from './fixtures/vault.ts';

t.setTimeout(550_000);

const COUNT = 3_000;

/** What goes on all the time. Returns the failures when `isOver` says that it is enough. */
async function work(daemon: Daemon, isOver: () => boolean): Promise<string[]> {
  const limited = await daemon.createToken(['read'], { names: ['s1*'] });
  const failures: string[] = [];
  const expect = async (status: number, method: string, target: string, given: object = {}) => {
    const answer = await daemon.ask(method, target, given);
    if (answer.status !== status) failures.push(`${method} ${target}: ${answer.status} ${answer.text}`);
  };
  const lane = async (offset: number) => {
    for (let index = offset; !isOver(); index = (index + 7) % COUNT) {
      await expect(200, 'GET', `/v1/secrets/s${index}`);
      await expect(201, 'PUT', `/v1/secrets/s${index}`, { body: { value: `v${index}` } });
      await expect(201, 'PUT', `/v1/secrets/s${index}/fields/more`, { body: { value: 'x' } });
      await expect(200, 'POST', `/v1/secrets/s${index}/rollback`, { body: { version: 1 } });
      await expect(200, 'GET', `/v1/secrets/s1?version=1`, { token: limited.token });
      await expect(200, 'GET', `/v1/secrets/s${index}/versions`);
    }
  };
  const bulk = async () => {
    for (let round = 0; !isOver(); round++) {
      await expect(200, 'GET', '/v1/secrets?limit=500');
      const secrets = [{ name: `new${round}`, environment: '', value: 'n' }];
      await expect(200, 'POST', '/v1/import', { body: { secrets } });
      await expect(200, 'DELETE', `/v1/secrets/new${round}`);
      await expect(200, 'GET', '/v1/audit/verify');
    }
  };
  await Promise.all([lane(0), lane(1), lane(2), bulk()]);
  return failures;
}

t.test('key rotate > requests of every kind go on > none fails, and nothing is left', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon, COUNT);
  let isOver = false;
  const working = work(daemon, () => isOver);
  for (const generation of [2, 3]) {
    const rotating = asOwner(daemon, 'POST', '/v1/keys/rotate');
    await waitUntil(async () => (await asOwner(daemon, 'GET', '/v1/info')).json.rotation !== null);
    const second = await asOwner(daemon, 'POST', '/v1/keys/rotate');
    t.match([second.status, second.json], [409, { code: 'conflict' }], 'a second one at once');
    t.match((await asOwner(daemon, 'GET', '/v1/status')).json.rotation, { kek_generation: generation });
    const { status, json } = await rotating;
    t.match([status, json], [200, { kek_generation: generation, kept_generations: [], damaged_count: 0 }]);
  }
  isOver = true;
  t.same(await working, []);
  t.same(await findNotIntact(daemon), []);
  t.match((await asOwner(daemon, 'GET', '/v1/info')).json, { rotation: null });
  isWrappedUnderOne(t, daemon);
});

t.test('key rotate > secrets are made while it begins > none of them is left behind', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon, 20_000);
  let isOver = false;
  let failures = 0;
  const make = async (lane: number) => {
    for (let index = 0; !isOver; index++)
      failures +=
        (await daemon.ask('PUT', `/v1/secrets/${lane}-${index}`, { body: { value: 'v' } })).status === 201
          ? 0
          : 1;
  };
  // A reader that is in the middle of an export has not heard of the new key yet. Until all have, the old one wraps what is new.
  const read = async () => {
    while (!isOver) failures += (await daemon.ask('GET', '/v1/export')).status === 200 ? 0 : 1;
  };
  const lanes = Array.from({ length: 20 }, (_, lane) => make(lane));
  const working = Promise.all([...lanes, read(), read(), read()]);
  for (let round = 0; round < 3; round++) {
    const { status, json } = await asOwner(daemon, 'POST', '/v1/keys/rotate');
    t.match([status, json], [200, { kept_generations: [], damaged_count: 0 }]);
  }
  isOver = true;
  await working;
  t.equal(failures, 0);
  isWrappedUnderOne(t, daemon);
});

type End = (daemon: Daemon) => Promise<unknown>;

const ENDS: Readonly<Record<string, End>> = {
  sealed: (daemon) => asOwner(daemon, 'POST', '/v1/seal'),
  stopped: (daemon) => daemon.stop(),
  killed: (daemon) => daemon.stop('SIGKILL'),
};

t.test('key rotate > sealed, stopped or killed meanwhile > goes on by itself', async (t) => {
  let daemon = await startDaemon(t);
  await fill(daemon, COUNT);
  const status = async () => (await asOwner(daemon, 'GET', '/v1/status')).json;
  let generation = 1;
  for (const [how, end] of Object.entries(ENDS)) {
    const asked = asOwner(daemon, 'POST', '/v1/keys/rotate').catch(() => null);
    await waitUntil(async () => (await status()).rotation !== null);
    await end(daemon);
    const answer = await asked;
    generation += 1;
    if (how === 'sealed') {
      t.match([answer?.status, answer?.json], [503, { error: /goes on once it is unsealed/ }]);
      t.match(await status(), { sealed: true, rotation: { kek_generation: generation } });
      const { stdout } = await mav(daemon, ['status', '-o', 'table']);
      t.match(stdout, /rotation +to generation 2: \d+ of \d+; it goes on once the vault is unsealed/);
      t.equal((await asOwner(daemon, 'POST', '/v1/unseal')).status, 200);
    } else {
      if (how === 'stopped')
        t.match([answer?.status, answer?.json], [503, { error: /goes on when it is start/ }]);
      daemon = await startDaemon(t, { sandbox: daemon, init: null, token: false });
    }
    await waitUntil(async () => (await status()).rotation === null);
    t.match(await status(), { kek_generation: generation, old_kek_generations: [] }, how);
    t.same(await findNotIntact(daemon), [], how);
    isWrappedUnderOne(t, daemon);
  }
  const { json } = await asOwner(daemon, 'GET', '/v1/audit?operation=keys.*');
  t.same(
    json.entries.map(({ op, generation }: { op: string; generation?: number }) => [op, generation]),
    [
      ['keys.rotated', 4],
      ['keys.rotate', undefined],
      ['keys.rotated', 3],
      ['keys.rotate', undefined],
      ['keys.rotated', 2],
      ['keys.rotate', undefined],
    ],
  );
});

t.test('key rotate > without a daemon, killed > the next one goes on with it', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon, COUNT);
  await daemon.stop();
  const rotating = spawnMav(daemon, ['key', 'rotate'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const db = new Database(daemon.databasePath);
  t.teardown(() => db.close());
  await waitUntil(() => db.prepare('SELECT 1 FROM rotation WHERE done > 0').get() !== undefined);
  rotating.kill('SIGKILL');
  await finished(rotating);
  const again = await mav(daemon, ['key', 'rotate']);
  t.match([again.code, again.stderr], [0, /^Rotated to generation 2\.$/m]);
  isWrappedUnderOne(t, daemon);
});

t.test('key rotate > rows were changed without the key > named and left, exit code 1', async (t) => {
  const daemon = await startDaemon(t);
  await fill(daemon, 30);
  await daemon.ask('PUT', '/v1/secrets/s2', { body: { value: 'new' } });
  const db = new Database(daemon.databasePath);
  t.teardown(() => db.close());
  const change = (seconds: number) =>
    db.exec(`UPDATE secrets SET updated_at = updated_at + ${seconds} WHERE name = 's1';
      UPDATE versions SET updated_at = updated_at + ${seconds} WHERE name = 's2';
      UPDATE fields SET updated_at = updated_at + ${seconds}
        WHERE secret_id = (SELECT id FROM secrets WHERE name = 's10')`);
  change(1);
  const { code, stderr } = await mav(daemon, ['key', 'rotate']);
  t.equal(code, 1);
  t.equal(
    stderr,
    [
      'Rotated to generation 2.',
      'Not wrapped again, because somebody without the key changed it, or it is damaged:',
      '  s1',
      '  the field user of s10',
      '  s2, version 1',
      'Generation 1 is kept for it. Set these secrets again, or delete and purge them; then: mav key rotate',
      '',
    ].join('\n'),
  );
  t.match((await mav(daemon, ['status', '-o', 'table'])).stdout, /rotation +damaged rows keep generation 1/);
  t.equal((await daemon.ask('GET', '/v1/secrets/s3')).json.value, 'v3');
  change(-1);
  t.match(await mav(daemon, ['key', 'rotate']), { code: 0 }, 'whoever puts them right has everything back');
  t.same(await findNotIntact(daemon), []);
  isWrappedUnderOne(t, daemon);
});

t.test(
  'key rotate > Ctrl-C on a terminal > says so, and goes on',
  { skip: skipWithout('python3') },
  async (t) => {
    const daemon = await startDaemon(t);
    await fill(daemon, 12_000);
    const terminal = mavOnTerminal(t, daemon, ['key', 'rotate']);
    await terminal.see('Wrapping the keys of the secrets: ');
    terminal.type(KEYS.ctrlC);
    const { code, shown } = await terminal.ended();
    t.equal(code, 130);
    t.match(
      shown,
      'Not waiting any longer. The rotation goes on in mav serve; mav status says how far it is.',
    );
    await waitUntil(async () => (await asOwner(daemon, 'GET', '/v1/status')).json.rotation === null);
    isWrappedUnderOne(t, daemon);
  },
);
