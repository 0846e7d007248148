/** A daemon that seals its vault when the machine is suspended or the screen is locked: the built program on a real bus. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { canSendDescriptors } from './fixtures/descriptors.ts';
import { type Logind, startLogind } from './fixtures/logind.ts';
import { skipWithout } from './fixtures/programs.ts';
import { readStatus } from './fixtures/reports.ts';
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
  await untilHeard(daemon, /^the vault is not sealed by /);
  return { daemon, logind };
}

/** A bus that did not answer in time, on a busy machine, is tried again. */
async function untilHeard(daemon: Daemon, deaf: RegExp): Promise<void> {
  const isDeaf = async () => (await readStatus(daemon)).json.unheard.some((why: string) => deaf.test(why));
  while (await isDeaf()) await sleep(POLL_MS);
}

async function isSealed({ socket }: Daemon): Promise<boolean> {
  return (await ask(socket, 'GET', '/v1/health', { token: null })).json.sealed === true;
}

async function untilSealed(daemon: Daemon): Promise<void> {
  while (!(await isSealed(daemon))) await sleep(POLL_MS);
}

const DEAF = /^the vault is not sealed by suspend and lock: the system's bus .*; the daemon tries again$/;

/** Returns the process that listens for the daemon: its only child. */
function findListener({ child }: Daemon): number {
  const isChild = (pid: string) => readStat(pid).endsWith(` ${child.pid}`);
  return Number(readdirSync('/proc').find((name) => /^\d+$/.test(name) && isChild(name)));
}

/** Returns the beginning of proc_pid_stat(5), up to the parent's number; the name in it may have spaces. */
function readStat(pid: string): string {
  try {
    return /^.*\) \S \d+/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[0] ?? '';
  } catch {
    return '';
  }
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
  while ((await daemon.ask('GET', '/v1/secrets')).status !== 200) await sleep(POLL_MS);
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

t.test('seal_on > LockedHint of the session changes > sealed once, and unlocked', { skip }, async (t) => {
  const { daemon, logind } = await startListening(t, { seal_on: ['lock'], auto_unseal: true });
  logind.hint(false);
  await settle(logind);
  t.equal(await isSealed(daemon), false, 'another property changed');
  logind.hint(true);
  await untilSealed(daemon);
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 503, 'not while the screen is locked');
  logind.say('Lock');
  logind.hint(false);
  while ((await daemon.ask('GET', '/v1/secrets')).status !== 200) await sleep(POLL_MS);
  const entries = JSON.parse((await mav(daemon, ['audit', '-o', 'json'])).stdout) as { op: string }[];
  t.equal(entries.filter(({ op }) => op === 'vault.seal').length, 1, 'several ways of telling it');
});

const cannotDelay = canSendDescriptors ? skipWithout('dbus-daemon', 'systemd-inhibit') : 'no node:ffi';
t.test(
  'seal_on > suspend > logind waits until the vault is sealed, and not longer',
  { skip: cannotDelay },
  async (t) => {
    const { daemon, logind } = await startListening(t, { seal_on: ['suspend'] });
    for (const round of ['first', 'second']) {
      await untilHeard(daemon, /./);
      t.equal(logind.countDelays(), 1, `${round} time`);
      logind.suspend();
      while (logind.countDelays() > 0) await sleep(POLL_MS);
      t.equal(await isSealed(daemon), true);
      logind.wakeUp();
      while (logind.countDelays() !== 1) await sleep(POLL_MS);
      await mav(daemon, ['unseal']);
    }
    t.equal((await daemon.stop()).code, 0);
    while (logind.countDelays() > 0) await sleep(POLL_MS);
  },
);

/** Returns what `mav doctor` and `mav status` say of it. */
async function readUnheard(daemon: Daemon): Promise<{ status: string[]; doctor: string[] }> {
  const [{ json }, { stdout }] = await Promise.all([
    readStatus(daemon),
    mav(daemon, ['doctor', '-o', 'json']),
  ]);
  const { checks } = JSON.parse(stdout) as { checks: { check: string; detail: string }[] };
  const doctor = checks.filter(({ check }) => check === 'seal_on').map(({ detail }) => detail);
  return { status: json.unheard, doctor };
}

t.test('seal_on > the bus ends and comes back > it is said, and heard again', { skip }, async (t) => {
  const { daemon, logind } = await startListening(t, { seal_on: ['suspend', 'lock'] });
  t.notOk((await readUnheard(daemon)).doctor.some((sentence) => DEAF.test(sentence)));
  logind.stopBus();
  const isSaid = () => daemon.log().some(({ event, detail }) => event === 'warning' && DEAF.test(detail));
  while (!isSaid()) await sleep(POLL_MS);
  const { status, doctor } = await readUnheard(daemon);
  // The buses' ends arrive in any order.
  t.ok(status.some((sentence) => DEAF.test(sentence)));
  t.ok(doctor.some((sentence) => DEAF.test(sentence)));
  t.match(
    (await mav(daemon, ['status', '-o', 'text'])).stdout,
    /^seal_on +the vault is not sealed by suspend and lock: /m,
  );
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  await logind.restartBus();
  await untilHeard(daemon, /^the vault is not sealed by /);
  const saysSo = () => daemon.log().some(({ event }) => event === 'hearing');
  while (cannotDelay === false && !saysSo()) await sleep(POLL_MS);
  logind.suspend();
  await untilSealed(daemon);
});

t.test(
  'seal_on > there is no bus, or the process that listens is killed > it is said',
  { skip },
  async (t) => {
    const sandbox = await createVault(t, { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent' });
    const daemon = await startDaemon(t, { sandbox, init: null, token: false, serve: ['--seal-on', 'lock'] });
    t.match(
      (await readUnheard(daemon)).status.join('\n'),
      /^the vault is not sealed by lock: the system's bus cannot be reached; the daemon tries again$/m,
    );
    process.kill(findListener(daemon), 'SIGKILL');
    const isSaid = () => daemon.log().some(({ detail }) => /has ended; start mav serve again$/.test(detail));
    while (!isSaid()) await sleep(POLL_MS);
    t.equal(await isSealed(daemon), false);
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
