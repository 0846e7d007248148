import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { fillDisk } from '../fixtures/full-disk.ts';
import { forgetEpochs, restart } from '../fixtures/killed.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { asOwner, fill, findNotIntact, isWrappedUnderOne } from '../fixtures/rotation.ts';
import { createSandbox, type Sandbox } from '../fixtures/vault.ts';

/** More than one slice of a rotation takes. */
const COUNT = 600;
/** More than a rotation makes: one that never ends is a mistake of the test. */
const MAX_CALLS = 120;

const isOver = async (daemon: Daemon) => (await asOwner(daemon, 'GET', '/v1/status')).json.rotation === null;

/** A vault with old versions, stopped, and a copy of its folder. */
async function prepare(t: Test): Promise<{ sandbox: Sandbox; admin: string; copy: string }> {
  const sandbox = createSandbox(t);
  const daemon = await startDaemon(t, { sandbox });
  await fill(daemon, COUNT);
  for (const name of ['s0', 's1', 's10'])
    await daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'new' } });
  await daemon.ask('DELETE', '/v1/secrets/s20');
  await daemon.stop();
  const copy = join(sandbox.folder, 'copy');
  cpSync(sandbox.home, copy, { recursive: true });
  return { sandbox, admin: daemon.admin, copy };
}

async function isWhole(t: Test, daemon: Daemon, what: string): Promise<void> {
  await waitUntil(() => isOver(daemon));
  t.same(await findNotIntact(daemon), [], what);
  for (const [target, value] of [
    ['s0', 'new'],
    ['s0?version=1', 'v0'],
    ['s599', 'v599'],
  ])
    t.equal((await daemon.ask('GET', `/v1/secrets/${target}`)).json.value, value, `${what}: ${target}`);
}

t.test(
  'key rotate > killed at every sync, in turn > nothing is lost',
  { skip: skipWithout('strace') },
  async (t) => {
    const { sandbox, admin, copy } = await prepare(t);
    let rotated = 0;
    let nth = 1;
    for (; nth < MAX_CALLS; nth++) {
      rmSync(sandbox.home, { recursive: true });
      cpSync(copy, sandbox.home, { recursive: true });
      forgetEpochs(sandbox);
      const kill = ['-e', 'trace=fdatasync,fsync', '-e', `inject=fdatasync,fsync:signal=KILL:when=${nth}`];
      const under = ['strace', '-D', '-f', ...kill, '-o', join(sandbox.folder, 'trace')];
      const killed = await restart(t, sandbox, admin, under).catch(() => null);
      const answer =
        killed === null ? null : await asOwner(killed, 'POST', '/v1/keys/rotate').catch(() => null);
      const end = killed === null ? null : await killed.stop();
      const daemon = await restart(t, sandbox, admin);
      await isWhole(t, daemon, `sync ${nth}`);
      if ((await asOwner(daemon, 'GET', '/v1/status')).json.kek_generation === 2) {
        rotated += 1;
        isWrappedUnderOne(t, daemon);
      }
      t.equal((await daemon.stop()).code, 0);
      if (answer?.status === 200 && end?.signal === null) break;
    }
    t.comment(`figure: killed at each of ${nth - 1} syncs; in ${rotated} runs the rotation had begun`);
    t.ok(nth < MAX_CALLS && rotated > 3);
  },
);

t.test(
  'key rotate > no space from a write on > 507, and the next one finishes it',
  { skip: skipWithout('strace') },
  async (t) => {
    const { sandbox, admin } = await prepare(t);
    // Under `env` only so that it may be traced.
    const daemon = await restart(t, sandbox, admin, ['env']);
    let refused = 0;
    let nth = 1;
    for (; nth < MAX_CALLS * 10; nth = Math.ceil(nth * 1.5)) {
      const disk = await fillDisk(daemon, nth);
      const { status, json } = await asOwner(daemon, 'POST', '/v1/keys/rotate');
      // A read whose entry in the audit log finds no space is refused.
      const read = await daemon.ask('GET', '/v1/secrets/s599');
      t.ok(read.status === 507 || read.json.value === 'v599', 'reading goes on');
      await disk.end();
      if (status === 200) break;
      t.match([status, json.code], [507, 'disk_full'], `write ${nth}`);
      refused += 1;
      const next = await asOwner(daemon, 'POST', '/v1/keys/rotate');
      t.match([next.status, next.json.damaged_count], [200, 0], 'with space again');
      await isWhole(t, daemon, `write ${nth}`);
      isWrappedUnderOne(t, daemon);
    }
    t.comment(`figure: refused ${refused} times for want of space, and finished each time`);
    t.ok(refused > 3);
  },
);
