/** Attempts to open the vault by a passphrase or a code: one at a time, ever more slowly, and nobody else waits. */
import t from 'tap';
import { delayAfter, KeyAttempts } from '../src/auth/key-attempts.ts';
import { createHeldVault, hold } from './fixtures/held.ts';

t.test('delayAfter > wrong attempts > three cost nothing, then twice as long each, to 30 s', async (t) => {
  t.same(
    [0, 1, 2, 3, 4, 5, 8, 9, 1_000].map(delayAfter),
    [0, 0, 0, 1_000, 2_000, 4_000, 30_000, 30_000, 30_000],
  );
});

t.test('KeyAttempts > several at once > one at a time, and not more than eight', async (t) => {
  const attempts = new KeyAttempts();
  const releases: (() => void)[] = [];
  let running = 0;
  const results = Array.from({ length: 9 }, () =>
    attempts.take(
      async () => {
        running += 1;
        t.equal(running, 1);
        await new Promise<void>((resolve) => releases.push(resolve));
        running -= 1;
        return 'done';
      },
      () => true,
    ),
  );
  t.equal(await results[8], null, 'the ninth is refused');
  for (let count = 0; count < 8; count++) {
    while (releases.length === 0) await new Promise(setImmediate);
    releases.shift()?.();
  }
  t.same(await Promise.all(results.slice(0, 8)), Array(8).fill('done'));
});

t.test('KeyAttempts > the daemon ends > those that wait are let go', async (t) => {
  const attempts = new KeyAttempts();
  const take = () =>
    attempts.take(
      async () => 'tried',
      () => false,
    );
  for (let count = 0; count < 3; count++) t.equal(await take(), 'tried');
  const waiting = [take(), take()];
  attempts.end();
  t.same(await Promise.all([...waiting, take()]), [null, null, null]);
});

t.test('unseal > wrong passphrases > the next one waits, and nothing else does', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const passphrase = 'the right passphrase';
  await held.ask('POST', '/v1/keys', { body: { kind: 'passphrase', new_passphrase: passphrase } });
  await held.ask('POST', '/v1/seal');
  const wrong = () => held.ask('POST', '/v1/unseal', { body: { passphrase: 'a wrong one' } });
  for (let count = 0; count < 3; count++) t.equal((await wrong()).status, 503);
  // The delay begins before the daemon is asked, so that on a slow machine it may be over before the others are answered.
  const beganAtMs = performance.now();
  let isDone = false;
  const right = held.ask('POST', '/v1/unseal', { body: { passphrase } }).then((answer) => {
    isDone = true;
    return answer;
  });
  t.equal((await held.ask('GET', '/v1/health')).status, 200);
  t.equal((await held.ask('GET', '/v1/keys')).status, 200);
  t.equal((await held.ask('GET', '/v1/secrets')).status, 503);
  t.ok(!isDone || performance.now() - beganAtMs >= delayAfter(3), 'others were answered first');
  t.equal((await right).status, 200);
  t.equal((await held.ask('GET', '/v1/secrets')).status, 200);
});
