/** Sealing while long requests are under way: they end at once, and say why. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(550_000);
/** Each long request takes a second or more for them. */
const COUNT = 20_000;
const POLL_MS = 5;
const ENDED = 'the vault was sealed meanwhile, which ended the request';

function readSession({ env, socket }: Daemon): string | null {
  return readSessionToken(locateSessionToken(env, socket));
}

/** Waits until the import has begun to count, or is over. Returns whether it is under way. */
async function untilBusy(daemon: Daemon, importing: Promise<unknown>): Promise<boolean> {
  const token = readSession(daemon);
  let isOver = false;
  void importing.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const { json } = await ask(daemon.socket, 'GET', '/v1/health', { token });
    if ((json.progress?.writing?.done ?? 0) > 0) return true;
    await sleep(POLL_MS);
  }
  return false;
}

t.test('seal > an import is under way > it ends cleanly, and says so', async (t) => {
  const daemon = await startDaemon(t);
  const secrets = Array.from({ length: COUNT }, (_, index) => ({
    name: `s${index}`,
    value: 'v'.repeat(100),
  }));
  const importing = daemon.ask('POST', '/v1/import', { body: { secrets } });
  t.ok(await untilBusy(daemon, importing));
  t.equal((await mav(daemon, ['seal'])).code, 0);
  const { status, json } = await importing;
  t.same([status, json.code, json.reason], [503, 'sealed', 'sealed']);
  t.equal(json.error, `${ENDED}; nothing of it was stored; run: mav unseal`);
  await mav(daemon, ['unseal']);
  t.same((await daemon.ask('GET', '/v1/secrets')).json, [], 'all of it was rolled back');
  t.same(
    daemon.log().filter(({ event }) => event === 'warning' || event === 'worker-died'),
    [],
    'no thread had to be ended',
  );
});

t.test('seal > an export is under way > it ends, and the command says why', async (t) => {
  const daemon = await startDaemon(t);
  const secrets = Array.from({ length: COUNT }, (_, index) => ({
    name: `s${index}`,
    value: 'v'.repeat(100),
  }));
  await daemon.ask('POST', '/v1/import', { body: { secrets } });
  let ended: { code: number | null; stderr: string } = { code: 0, stderr: '' };
  // Where the machine is faster with all of it than with the sealing, the next one is sealed earlier.
  for (let delayMs = 300; ended.code === 0; delayMs /= 2) {
    const exporting = mav(daemon, ['export']);
    await sleep(delayMs);
    await mav(daemon, ['seal']);
    ended = await exporting;
    if (ended.code === 0) await mav(daemon, ['unseal']);
  }
  t.equal(ended.code, 5);
  t.match(ended.stderr, 'sealed');
});
