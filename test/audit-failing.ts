/** The audit log cannot be written: nothing is done that would have to stand in it, unless config.json says otherwise. */
import { closeSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listEntries } from './fixtures/audit-files.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { waitUntil } from './fixtures/raw.ts';
import { createSmallSandbox, onSmallDisk } from './fixtures/small-disk.ts';
import { createVault, mav, type Sandbox } from './fixtures/vault.ts';

/** Puts a file in the place of the folder. */
function block({ home }: Sandbox): void {
  rmSync(join(home, 'audit'), { recursive: true, force: true });
  writeFileSync(join(home, 'audit'), '');
}

function unblock({ home }: Sandbox): void {
  rmSync(join(home, 'audit'));
}

/** Starts a daemon whose log cannot be written. */
async function startBlocked(t: Test, config: object): Promise<Daemon> {
  const sandbox = await createVault(t);
  const first = await startDaemon(t, { sandbox, init: null });
  await first.ask('PUT', '/v1/secrets/a', { body: { value: 'v' } });
  await first.stop();
  writeFileSync(join(sandbox.home, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  block(sandbox);
  const daemon = await startDaemon(t, { sandbox, init: null, token: false });
  return {
    ...daemon,
    ask: (method, target, options) => daemon.ask(method, target, { token: first.admin, ...options }),
  };
}

t.test(
  'audit > required, and it cannot be written > reads and writes fail, and nothing is stored',
  async (t) => {
    const daemon = await startBlocked(t, {});
    for (const [method, target, body] of [
      ['GET', '/v1/secrets/a', undefined],
      ['GET', '/v1/secrets/a/value', undefined],
      ['PUT', '/v1/secrets/b', { value: 'v' }],
      ['DELETE', '/v1/secrets/a', undefined],
    ] as const) {
      const answer = await daemon.ask(method, target, body === undefined ? {} : { body });
      t.match(
        answer,
        { status: 500, json: { code: 'internal', reason: 'audit_log' } },
        `${method} ${target}`,
      );
      t.match(answer.json.error, /audit log cannot be written .*best-effort/);
    }
    unblock(daemon);
    t.match(
      await daemon.ask('GET', '/v1/secrets/a'),
      { status: 200, json: { value: 'v' } },
      'once it can be written',
    );
    t.match(await daemon.ask('GET', '/v1/secrets/b'), { status: 404 });
  },
);

t.test('audit > best-effort, and it cannot be written > goes on, and the loss is counted', async (t) => {
  const daemon = await startBlocked(t, { audit: 'best-effort' });
  t.match(await daemon.ask('PUT', '/v1/secrets/b', { body: { value: 'v' } }), { status: 201 });
  t.match(await daemon.ask('GET', '/v1/secrets/b'), { status: 200, json: { value: 'v' } });
  unblock(daemon);
  await daemon.ask('GET', '/v1/secrets/b');
  const lost = listEntries(daemon).filter(({ op }) => op === 'audit.lost');
  t.ok(lost.length > 0);
  t.ok(lost.every(({ count }) => Number(count) > 0));
});

t.test('audit > required, without a daemon > a command fails and says what to do', async (t) => {
  const sandbox = await createVault(t);
  t.equal((await mav(sandbox, ['set', 'a', '--value', 'v'])).code, 0);
  block(sandbox);
  const { code, stdout, stderr } = await mav(sandbox, ['get', 'a']);
  t.same([code, stdout], [1, '']);
  t.match(stderr, /^mav: the audit log cannot be written \(\w+\); make room/);
});

t.test(
  'audit > required, and the disk is full > a read fails with 507, and goes on when there is room',
  onSmallDisk(),
  async (t) => {
    const sandbox = createSmallSandbox(t, '4m');
    await mav(sandbox, ['init', '--key-store', 'file']);
    const daemon = await startDaemon(t, { sandbox, init: null });
    t.equal((await daemon.ask('PUT', '/v1/secrets/a', { body: { value: 'v' } })).status, 201);
    // Erasing SQLite's log makes room.
    await waitUntil(() => statSync(`${sandbox.databasePath}-wal`).size === 0);
    const filler = join(sandbox.home, 'filler');
    fillDisk(filler);
    const answers = [];
    // The file of the log may have some room left in its last block.
    for (let round = 0; round < 40; round++) answers.push(await daemon.ask('GET', '/v1/secrets/a'));
    t.match(answers.at(-1), { status: 507, json: { code: 'disk_full', reason: 'audit_log' } });
    t.notOk(answers.at(-1)?.text.includes('"value"'));
    rmSync(filler);
    t.match(await daemon.ask('GET', '/v1/secrets/a'), { status: 200, json: { value: 'v' } });
    await daemon.stop();
    const { stdout } = await mav(sandbox, ['audit', 'verify', '-o', 'json']);
    t.match(JSON.parse(stdout), { status: 'intact' });
  },
);

/** Takes all that is left of a file system. */
function fillDisk(path: string): void {
  const descriptor = openSync(path, 'w');
  try {
    for (const size of [65_536, 4_096, 512]) {
      try {
        for (;;) writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
