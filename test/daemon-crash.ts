/** Nothing that was acknowledged is lost: killed while writing, a full disk, and a sync before every answer. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import { RUNS_WHOLE_SWEEPS } from './fixtures/sample.ts';
import { createSmallSandbox, onSmallDisk } from './fixtures/small-disk.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.jobs = 2;

/** Each starts and kills a daemon. */
const ROUNDS = RUNS_WHOLE_SWEEPS ? 20 : 6;
const CLIENTS = 8;

/** Writes from several clients at once until the daemon is gone; answers the acknowledged name → value pairs. */
async function writeUntilKilled(daemon: Daemon, round: number): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>();
  const client = async (id: number) => {
    for (let count = 0; ; count++) {
      const [name, value] = [`k${id}-${count % 5}`, `${round}.${id}.${count}`];
      // A write that was not answered may or may not have taken effect.
      acknowledged.delete(name);
      const { status } = await daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value } });
      if (status === 201) acknowledged.set(name, value);
    }
  };
  await Promise.allSettled(Array.from({ length: CLIENTS }, (_, id) => client(id)));
  return acknowledged;
}

t.test(
  'kill -9 > while eight clients write, again and again > every acknowledged write is there',
  async (t) => {
    let daemon = await startDaemon(t);
    const { admin } = daemon;
    let lost = 0;
    let checked = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const writing = writeUntilKilled(
        { ...daemon, ask: (method, target, given) => daemon.ask(method, target, { token: admin, ...given }) },
        round,
      );
      // Somewhere in the middle: after some answers, which differ from round to round.
      const enough = 5 + Math.floor(Math.random() * 60);
      await waitUntil(() => daemon.log().filter(({ event }) => event === 'request').length >= enough);
      await daemon.stop('SIGKILL');
      const acknowledged = await writing;
      daemon = await startDaemon(t, { sandbox: daemon, init: null, token: false });
      for (const [name, value] of acknowledged) {
        const { json } = await daemon.ask('GET', `/v1/secrets/${name}`, { token: admin });
        if (json.value !== value) lost += 1;
        checked += 1;
      }
    }
    t.equal(lost, 0);
    t.ok(checked > 2 * ROUNDS, 'there was something to lose');
    await daemon.stop();
  },
);

t.test(
  'a signal of a crash > to a daemon that serves > ends it, as nothing of it can be trusted',
  async (t) => {
    for (const signal of ['SIGSEGV', 'SIGBUS'] as const) {
      const daemon = await startDaemon(t, { token: false });
      t.equal((await daemon.stop(signal)).signal, signal);
    }
  },
);

t.test(
  'PUT > answered > only after the write-ahead log was synced',
  { skip: skipWithout('strace') },
  async (t) => {
    const sandbox = createSandbox(t);
    const trace = join(sandbox.folder, 'trace');
    const calls = 'trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64';
    // -D: the tracer is the grandchild, so that the process that is signalled is the daemon.
    const under = ['strace', '-D', '-f', '-y', '-s', '64', '-e', calls, '-o', trace];
    const daemon = await startDaemon(t, { sandbox, under, serve: ['--allow-tracer'] });
    for (let count = 0; count < 3; count++) {
      t.equal((await daemon.ask('PUT', '/v1/secrets/synced', { body: { value: 'x' } })).status, 201);
    }
    await daemon.stop();
    // The tracer writes its last lines when the daemon has ended.
    await waitUntil(() => readFileSync(trace, 'utf8').includes('+++ exited'));
    const lines = readFileSync(trace, 'utf8').split('\n');
    const isLogWrite = (line: string) => line.includes('pwrite64(') && line.includes('vault.db-wal');
    const isSync = (line: string) => /f(data)?sync\(.*vault\.db-wal/.test(line);
    // Before them there may be that of the admin token, which the fixture makes.
    const answers = lines
      .flatMap((line, index) => (line.includes('HTTP/1.1 201 Created') ? [index] : []))
      .slice(-3);
    t.equal(answers.length, 3, 'every answer is in the trace');
    for (const [index, answer] of answers.entries()) {
      const before = lines.slice(answers[index - 1] ?? 0, answer);
      // The first write: before the answer goes out, on a busy machine, the idle daemon may write once more.
      const [written, synced] = [before.findIndex(isLogWrite), before.findLastIndex(isSync)];
      t.ok(written >= 0 && synced > written, 'written, then synced, then answered');
    }
    t.equal(readFileSync(daemon.databasePath).subarray(18, 20).toString('hex'), '0202', 'the file says WAL');
  },
);

const VALUE_SIZE = 100_000;

/** Stores values until the disk takes no more; answers the names that were stored and the answer that was not. */
async function fillUp(daemon: Daemon) {
  const stored: string[] = [];
  for (;;) {
    const name = `filler-${stored.length}`;
    const answer = await daemon.ask('PUT', `/v1/secrets/${name}`, {
      body: { value: 'v'.repeat(VALUE_SIZE) },
    });
    if (answer.status !== 201) return { stored, answer, name };
    stored.push(name);
    if (stored.length > 200) throw new Error('the disk does not fill up');
  }
}

/** Stores small values and, as the fourth, a large one in one batch. Adds the names of those that were stored to `kept`. */
async function writeTogether(daemon: Daemon, kept: Set<string>): Promise<number[]> {
  const bodies = Array.from({ length: 6 }, (_, index) => (index === 3 ? 'v'.repeat(VALUE_SIZE) : 'v'));
  const answers = await Promise.all(
    bodies.map((value, index) => daemon.ask('PUT', `/v1/secrets/together-${index}`, { body: { value } })),
  );
  for (const [index, { status }] of answers.entries()) if (status === 201) kept.add(`together-${index}`);
  return answers.map(({ status }) => status);
}

/** What holds on a full disk, and after there is space again. */
async function survivesFullDisk(
  t: Test,
  daemon: Daemon,
  error: string,
  makeSpace: () => void,
): Promise<void> {
  const { stored, answer, name } = await fillUp(daemon);
  t.match(answer, { status: 507, json: { code: 'disk_full', error } });
  t.equal((await daemon.ask('GET', `/v1/secrets/${name}`)).status, 404, 'nothing half done');
  t.ok(stored.length > 3);
  const names = async () => (await daemon.ask('GET', '/v1/secrets')).json.length;
  t.equal(await names(), stored.length, 'reading goes on');
  const kept = new Set(stored);
  let statuses = await writeTogether(daemon, kept);
  // A daemon that was idle for a moment has emptied SQLite's log, which makes room once more.
  for (let round = 0; statuses[3] === 201 && round < 20; round++) {
    for (const filler of (await fillUp(daemon)).stored) kept.add(filler);
    statuses = await writeTogether(daemon, kept);
  }
  t.equal(statuses[3], 507, 'the large one fails');
  t.ok(statuses.every((status) => status === 201 || status === 507));
  t.equal(await names(), kept.size, 'what was acknowledged is there, and nothing else');
  makeSpace();
  t.match(await daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'v'.repeat(VALUE_SIZE) } }), {
    status: 201,
  });
  t.match(await daemon.ask('GET', `/v1/secrets/${stored[0]}`), { status: 200 });
  t.equal((await daemon.stop()).code, 0);
}

t.test(
  'disk full > a file system of 4 MiB > 507, and service goes on when there is space',
  onSmallDisk(),
  async (t) => {
    const sandbox = createSmallSandbox(t, '4m');
    const reserve = join(sandbox.home, 'reserve');
    // Otherwise a read that cannot be written into the audit log fails, too: test/audit-failing.ts.
    writeFileSync(join(sandbox.home, 'config.json'), '{"audit":"best-effort"}', { mode: 0o600 });
    await mav(sandbox, ['init', '--key-store', 'file']);
    writeFileSync(reserve, Buffer.alloc(1_500_000));
    const daemon = await startDaemon(t, { sandbox, init: null });
    await survivesFullDisk(t, daemon, 'the disk is full; nothing was stored', () => rmSync(reserve));
  },
);

t.test('disk full > not even a vault fits > init says so and leaves none', onSmallDisk(), async (t) => {
  const sandbox = createSmallSandbox(t, '16k');
  const { code, stderr } = await mav(sandbox, ['init', '--key-store', 'file']);
  t.equal(code, 1);
  t.match(stderr, /disk is full/);
  t.throws(() => statSync(sandbox.databasePath), { code: 'ENOENT' });
});

t.test(
  'file too large > the system’s limit on a file’s size > 507, and reading goes on',
  {
    skip: skipWithout('prlimit'),
  },
  async (t) => {
    // The test runner loads a module of its own into every child, by NODE_OPTIONS, and that one dies of SIGXFSZ; Node by
    // itself ignores the signal, and the write fails.
    const under = ['env', '-u', 'NODE_OPTIONS', 'prlimit', `--fsize=${2 * 1_048_576}:unlimited`];
    const daemon = await startDaemon(t, { under });
    const error = 'the disk is full, or takes no writes any more; nothing was stored';
    await survivesFullDisk(t, daemon, error, () => {
      execFileSync('prlimit', ['--pid', String(daemon.child.pid), '--fsize=unlimited:unlimited']);
    });
  },
);
