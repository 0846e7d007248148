/** A daemon that seals its vault by itself: the built program, with real clocks. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { readStatus } from './fixtures/reports.ts';
import { createPassphraseVault, createVault, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);
const POLL_MS = 100;

async function untilSealed({ socket }: Daemon): Promise<void> {
  while ((await ask(socket, 'GET', '/v1/health', { token: null })).json.sealed !== true) await sleep(POLL_MS);
}

t.test('serve > both times > the flag goes before config.json, and status says when', async (t) => {
  const sandbox = await createVault(t);
  writeFileSync(join(sandbox.home, 'config.json'), '{"idle_seal": "3h", "max_unsealed": "8h"}');
  const daemon = await startDaemon(t, { sandbox, init: null, serve: ['--idle-seal', '1h'], token: false });
  const { json } = await readStatus(daemon);
  const [idleMs, latestMs] = [json.idle_seal_at, json.max_unsealed_at].map((time) => Date.parse(time));
  t.ok((idleMs ?? 0) < Date.now() + 2 * 3_600_000, 'the flag wins');
  t.ok((latestMs ?? 0) > Date.now() + 7 * 3_600_000, 'config.json says the rest');
  t.match(
    (await mav(daemon, ['status', '-o', 'text'])).stdout,
    /^seals +at .* if no secret .*, at .* in any case$/m,
  );
});

t.test('serve > idle_seal > seals although health and status are asked for, and says why', async (t) => {
  const daemon = await startDaemon(t, { serve: ['--idle-seal', '2s'], token: false });
  let isSealed = false;
  while (!isSealed) isSealed = (await readStatus(daemon)).json.sealed === true;
  const { code, stderr } = await mav(daemon, ['get', 'some']);
  t.equal(code, 5);
  t.match(stderr, 'the vault sealed itself, because no secret was asked for in 2s; run: mav unseal');
  t.ok(daemon.log().some(({ event, detail }) => event === 'sealed' && /sealed itself/.test(detail)));
  t.equal((await readStatus(daemon)).json.idle_seal_at, null);
  await mav(daemon, ['unseal']);
  const { stdout } = await mav(daemon, ['audit', '-o', 'json']);
  const sealings = JSON.parse(stdout).filter(({ op }: { op: string }) => op === 'vault.seal');
  t.match(sealings, [{ by: '', purpose: 'idle_seal', result: 'ok' }]);
});

t.test('serve > auto_unseal > the next request for a secret unseals it, others do not', async (t) => {
  const sandbox = await createVault(t);
  writeFileSync(join(sandbox.home, 'config.json'), '{"max_unsealed": "3s", "auto_unseal": true}');
  const daemon = await startDaemon(t, { sandbox, init: null });
  await untilSealed(daemon);
  t.equal((await readStatus(daemon)).json.sealed, true, 'status');
  t.equal((await daemon.ask('GET', '/v1/secrets', { token: null })).status, 401, 'without a token');
  t.equal((await readStatus(daemon)).json.sealed, true, 'still sealed');
  const [first, second] = await Promise.all([
    daemon.ask('GET', '/v1/secrets'),
    daemon.ask('GET', '/v1/secrets'),
  ]);
  t.same([first.status, second.status], [200, 200]);
  await untilSealed(daemon);
  await mav(daemon, ['seal']);
  t.equal(
    (await daemon.ask('GET', '/v1/secrets')).status,
    503,
    'who has sealed it himself unseals it himself',
  );
});

t.test('serve > auto_unseal of a passphrase vault > it asks', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const serve = ['--max-unsealed', '1s', '--auto-unseal'];
  const daemon = await startDaemon(t, { sandbox, init: null, serve, token: false });
  await mav(daemon, ['unseal', '--passphrase-file', sandbox.passphraseFile]);
  await untilSealed(daemon);
  const { code, stderr } = await mav(daemon, ['list']);
  t.equal(code, 5);
  t.match(stderr, /passphrase/);
});

t.test('serve > a time that is none > says which, and starts nothing', async (t) => {
  const sandbox = await createVault(t);
  for (const option of ['--idle-seal', '--max-unsealed']) {
    const { code, stderr } = await mav(sandbox, ['serve', option, 'soon']);
    t.equal(code, 2);
    t.match(stderr, `${option} must be a time such as "15m" or "8h"`);
  }
  writeFileSync(join(sandbox.home, 'config.json'), '{"idle_seal": "0"}');
  t.match((await mav(sandbox, ['list'])).stderr, '"idle_seal" must be a time');
});
