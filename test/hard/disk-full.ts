/**
 * The disk takes no more, from any one write on: 507, nothing half done, reading goes on, and so does writing when there
 * is space again.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { fillDisk } from '../fixtures/full-disk.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { createSmallSandbox, onSmallDisk } from '../fixtures/small-disk.ts';
import { createVault, mav, type Sandbox } from '../fixtures/vault.ts';
import { findDamage, importAll, put, putFields, remove, type Write, Writer } from '../fixtures/writes.ts';

t.jobs = 2;

const fields = (text: string) => ({ user: `user ${text}`, password: `password ${text}` });

/** What is written at each attempt, which differ. */
const WRITES: Readonly<Record<string, (attempt: number) => Write>> = {
  put: (attempt) => put('k0', `put ${attempt}`),
  fields: (attempt) => putFields('k1', fields(`${attempt}`)),
  delete: () => remove('k2'),
  import: (attempt) =>
    importAll({
      k3: { value: `${attempt}`, fields: fields(`${attempt}`) },
      k4: { value: `${attempt}`, fields: fields(`${attempt}`) },
      [`made${attempt}`]: { value: `${attempt}` },
    }),
};

/** Beyond what any one of them writes; fails the test. */
const MAX_WRITES = 200;

/** A read is answered although the audit log cannot have it; else a full disk refuses reads too. */
function allowUnrecorded({ home }: Sandbox): void {
  writeFileSync(join(home, 'config.json'), '{"audit": "best-effort"}', { mode: 0o600 });
}

async function startReadable(t: Test, under: readonly string[] = []): Promise<Daemon> {
  const sandbox = await createVault(t);
  allowUnrecorded(sandbox);
  return startDaemon(t, { sandbox, init: null, under });
}

const isDiskFull = ({ status, json }: { status: number; json: any }) =>
  status === 507 && json.code === 'disk_full';

for (const [what, makeWrite] of Object.entries(WRITES)) {
  t.test(
    `${what} > no space from every write of it on, in turn > 507, nothing half done, service goes on`,
    { skip: skipWithout('strace') },
    async (t) => {
      const daemon = await startReadable(t);
      const writer = new Writer('base');
      let nth = 1;
      for (; nth < MAX_WRITES; nth++) {
        await writer.write(daemon, put('k2', 'to be deleted'));
        const disk = await fillDisk(daemon, nth);
        const answer = await writer.write(daemon, makeWrite(nth));
        const wrong = await writer.findWrong(daemon);
        await disk.end();
        // The write itself went through, whatever was hit after it.
        if (answer.status < 300) break;
        t.ok(isDiskFull(answer), `write ${nth}: ${answer.status}`);
        t.equal(wrong, null, 'nothing half done, and reading goes on');
        t.ok((await writer.write(daemon, makeWrite(nth))).status < 300, 'service goes on');
      }
      t.same(await findDamage(daemon, [writer]), []);
      t.comment(
        `figure: ${what}: no space from each of ${nth - 1} writes on, each time 507 and nothing half done`,
      );
      t.ok(nth > 4 && nth < MAX_WRITES, 'it writes several times');
      t.equal((await daemon.stop()).code, 0);
    },
  );
}

const WRITERS = 4;
const MIB = 1_048_576;

/** Everybody writes until the disk has refused each of them so many times; answers what else was answered. */
async function writeUntilRefused(daemon: Daemon, writer: Writer, refusals: number): Promise<number[]> {
  const others: number[] = [];
  for (let count = 0, refused = 0; refused < refusals; count++) {
    if (count > 1_000) throw new Error('the disk does not fill up');
    const write =
      count % 3 === 2
        ? putFields(`k${count}`, fields('v'.repeat(20_000)))
        : put(`k${count}`, 'v'.repeat(40_000));
    const answer = await writer.write(daemon, write);
    if (isDiskFull(answer)) refused += 1;
    else if (answer.status >= 300) others.push(answer.status);
  }
  return others;
}

/** What holds when concurrent writers fill the disk, after a kill -9 then, and after there is space again. */
async function survivesFullDisk(
  t: Test,
  daemon: Daemon,
  start: () => Promise<Daemon>,
  makeSpace: () => void,
) {
  const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(`w${index}`));
  const others = await Promise.all(writers.map((writer) => writeUntilRefused(daemon, writer, 10)));
  t.same(others.flat(), [], 'nothing but 201 and 507');
  t.same(await findDamage(daemon, writers), [], 'on the full disk');
  makeSpace();
  for (const writer of writers) t.equal((await writer.write(daemon, put('after', 'all'))).status, 201);
  await daemon.stop('SIGKILL');
  const next = await start();
  t.same(await findDamage(next, writers), [], 'after a kill -9');
  const total = writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  t.comment(`figure: ${WRITERS * 10} writes refused with 507, ${total} acknowledged, none lost`);
  t.ok(total > 2 * WRITERS);
  t.equal((await next.stop()).code, 0);
}

/** A daemon on the same vault that knows the admin token of the first. */
async function startAgain(t: Test, first: Daemon): Promise<Daemon> {
  const next = await startDaemon(t, { sandbox: first, init: null, token: false });
  return {
    ...next,
    ask: (method, target, given) => next.ask(method, target, { token: first.admin, ...given }),
  };
}

t.test(
  'disk full > concurrent writers on a small file system > 507, nothing lost',
  onSmallDisk(),
  async (t) => {
    const sandbox = createSmallSandbox(t, '8m');
    const reserve = join(sandbox.home, 'reserve');
    await mav(sandbox, ['init', '--key-store', 'file']);
    allowUnrecorded(sandbox);
    writeFileSync(reserve, Buffer.alloc(4 * MIB));
    const daemon = await startDaemon(t, { sandbox, init: null });
    await survivesFullDisk(
      t,
      daemon,
      () => startAgain(t, daemon),
      () => rmSync(reserve),
    );
  },
);

t.test(
  'file too large > concurrent writers under a limit on its size > 507, nothing lost',
  { skip: skipWithout('prlimit') },
  async (t) => {
    // Without NODE_OPTIONS, as the loader that the test runner puts there dies of SIGXFSZ.
    const under = ['env', '-u', 'NODE_OPTIONS', 'prlimit', `--fsize=${2 * MIB}:unlimited`];
    const daemon = await startReadable(t, under);
    await survivesFullDisk(
      t,
      daemon,
      () => startAgain(t, daemon),
      () => void execFileSync('prlimit', ['--pid', String(daemon.child.pid), '--fsize=unlimited:unlimited']),
    );
  },
);
