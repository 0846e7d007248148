/** A daemon that seals its vault when the machine is suspended or the screen is locked: the built program on a real bus. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { type Logind, startLogind } from './fixtures/logind.ts';
import { skipWithout } from './fixtures/programs.ts';
import { createVault, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skip = skipWithout('dbus-daemon');
const POLL_MS = 20;
const OUR_USER = process.geteuid?.() ?? 0;

/** A daemon behind its launcher, so that it may connect to nothing once it listens. */
async function startListening(
  t: Test,
  config: object,
  sessionUser = OUR_USER,
): Promise<{ daemon: Daemon; logind: Logind }> {
  const sandbox = await createVault(t);
  const logind = await startLogind(t, sandbox, sessionUser);
  writeFileSync(join(sandbox.home, 'config.json'), JSON.stringify(config));
  Object.assign(sandbox.env, logind.env);
  const daemon = await startDaemon(t, { sandbox, init: null, launched: true });
  return { daemon, logind };
}

async function isSealed({ socket }: Daemon): Promise<boolean> {
  return (await ask(socket, 'GET', '/v1/health', { token: null })).json.sealed === true;
}

async function untilSealed(daemon: Daemon): Promise<void> {
  while (!(await isSealed(daemon))) await sleep(POLL_MS);
}

/** Waits until the daemon has heard all that was sent before. */
async function settle({ showScreenSaver }: Logind): Promise<void> {
  showScreenSaver(false);
  await sleep(200);
}

t.test('seal_on > suspend, lock, screen saver > sealed each time, and says why', { skip }, async (t) => {
  const { daemon, logind } = await startListening(t, { seal_on: ['suspend', 'lock'] });
  for (const [happen, why, purpose] of [
    [() => logind.suspend(), 'the machine was suspended', 'suspend'],
    [() => logind.say('Lock'), 'the screen was locked', 'lock'],
    [() => logind.showScreenSaver(true), 'the screen was locked', 'lock'],
  ] as const) {
    t.equal(await isSealed(daemon), false);
    happen();
    await untilSealed(daemon);
    const { status, json } = await daemon.ask('GET', '/v1/secrets');
    t.same([status, json.problem], [503, `the vault sealed itself, because ${why}`]);
    await mav(daemon, ['unseal']);
    const entries = JSON.parse((await mav(daemon, ['audit', '-o', 'json'])).stdout);
    t.ok(
      entries.some(
        (entry: { op: string; purpose?: string }) => entry.op === 'vault.seal' && entry.purpose === purpose,
      ),
    );
  }
  logind.wakeUp();
  logind.say('Unlock');
  await settle(logind);
  t.equal(await isSealed(daemon), false, 'waking up and unlocking seal nothing');
  t.equal((await daemon.stop()).code, 0);
});

t.test('seal_on > auto_unseal > not while the screen is locked', { skip }, async (t) => {
  const { daemon, logind } = await startListening(t, { seal_on: ['lock'], auto_unseal: true });
  logind.say('Lock');
  await untilSealed(daemon);
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 503);
  logind.say('Unlock');
  await settle(logind);
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  logind.suspend();
  await settle(logind);
  t.equal(await isSealed(daemon), false, 'only what seal_on names');
});

t.test("seal_on > another user's session, or another sender than logind > nothing", { skip }, async (t) => {
  const { daemon, logind } = await startListening(t, { seal_on: ['suspend', 'lock'] }, OUR_USER + 1);
  logind.say('Lock');
  await logind.forgeSuspend();
  await settle(logind);
  t.equal(await isSealed(daemon), false);
});

t.test(
  'seal_on > the bus ends, or there is none > the log says so, and the daemon serves',
  { skip },
  async (t) => {
    const { daemon, logind } = await startListening(t, { seal_on: ['suspend'] });
    logind.stopBus();
    const warnings = () => daemon.log().filter(({ event }) => event === 'warning');
    while (warnings().length === 0) await sleep(POLL_MS);
    t.match(warnings(), [{ detail: 'a message bus is gone; the vault is not sealed by: suspend' }]);
    t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
    const sandbox = await createVault(t, { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent' });
    const deaf = await startDaemon(t, {
      sandbox,
      init: null,
      token: false,
      serve: ['--seal-on', 'suspend,lock'],
    });
    t.ok(
      deaf.log().some(({ detail }) => /^the system's bus cannot be reached; .*: suspend, lock$/.test(detail)),
    );
  },
);

t.test('serve > --seal-on with another word > says which there are', async (t) => {
  const sandbox = await createVault(t);
  const { code, stderr } = await mav(sandbox, ['serve', '--seal-on', 'sleep']);
  t.equal(code, 2);
  t.match(stderr, '--seal-on takes suspend, lock');
  writeFileSync(join(sandbox.home, 'config.json'), '{"seal_on": "lock"}');
  t.match((await mav(sandbox, ['list'])).stderr, '"seal_on" must be a list, such as ["suspend", "lock"]');
});
