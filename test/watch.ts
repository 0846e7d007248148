/** `mav watch`: a program that is restarted when a secret that it uses changes, and changes that are printed. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { serveStored, store } from './fixtures/variables.ts';
import { createVault, mav, type Sandbox, spawnMav } from './fixtures/vault.ts';

t.setTimeout(300_000);

/** A command that runs, and what it has printed so far. */
class Running {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #text = '';
  #seen = 0;

  constructor(t: Test, sandbox: Sandbox, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawnMav(sandbox, ['watch', ...args], {
      env: { ...sandbox.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (this.#text += text));
    this.#ended = once(this.child, 'close');
    t.teardown(async () => {
      this.child.kill('SIGTERM');
      await this.#ended;
    });
  }

  /** Waits until a text is printed, behind the one that was seen last. Returns what was printed in between. */
  async see(text: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(text, this.#seen);
      if (at >= 0) {
        const between = this.#text.slice(this.#seen, at);
        this.#seen = at + text.length;
        return between;
      }
      if (this.child.exitCode !== null) throw new Error(`it ended without ${text}: ${this.#text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async ended(): Promise<{ code: number | null; rest: string }> {
    const [code] = await this.#ended;
    return { code: code as number | null, rest: this.#text.slice(this.#seen) };
  }
}

/** Prints its secret, and goes on until it gets SIGTERM. */
const APP = `trap 'echo ends; exit 9' TERM; trap 'exit 130' INT; echo "has $DB."; while :; do sleep 0.05; done`;

/** What is printed at a restart of APP. The shell itself may say that its `sleep` was ended. */
const restartFor = (names: string) =>
  new RegExp(`^mav: ${names} changed; restarting sh\n(Terminated\n)?ends\n$`);

t.test('watch > a secret that the program uses changes > it runs again with the new value', async (t) => {
  const daemon = await serveStored(t, [
    ['db', 'one', { environment: 'dev' }],
    ['other', 'x'],
    ['db', 'p', { environment: 'prod' }],
  ]);
  const running = new Running(t, daemon, ['--env', 'dev', '--only', 'db', '--', 'sh', '-c', APP]);
  await running.see('has one.\n');
  await store(daemon, 'other', 'y');
  await store(daemon, 'db', 'q', { environment: 'prod' });
  await daemon.ask('PATCH', '/v1/secrets/db?env=dev', { body: { metadata: { owner: 'me' } } });
  await store(daemon, 'db', 'two', { environment: 'dev' });
  const told = await running.see('has two.\n');
  t.match(told, restartFor('db in dev'), 'one restart, which says what changed');
  await daemon.ask('POST', '/v1/secrets/db/rollback?env=dev', { body: { version: 1 } });
  await running.see('has one.\n');
  running.child.kill('SIGTERM');
  t.match(await running.ended(), { code: 9, rest: /ends\n$/ });
});

t.test('watch > an import of many > one restart', async (t) => {
  const daemon = await serveStored(t, [['db', 'one']]);
  const running = new Running(t, daemon, ['--', 'sh', '-c', APP]);
  await running.see('has one.\n');
  const secrets = ['db', 'a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, value: 'new' }));
  await daemon.ask('POST', '/v1/import', { body: { secrets } });
  const told = await running.see('has new.\n');
  t.match(told, restartFor('db, a, b, c, d and 2 more'));
  t.notMatch(told, /new/, 'names only');
});

t.test('watch > the program ends by itself > its exit code, and no restart', async (t) => {
  const daemon = await serveStored(t, [['db', 'one']]);
  for (const [script, code] of [
    ['exit 7', 7],
    ['kill -KILL $$', 137],
    ['exit 0', 0],
  ] as const)
    t.equal((await new Running(t, daemon, ['--', 'sh', '-c', script]).ended()).code, code, script);
  t.match(await new Running(t, daemon, ['--', 'no-such-program']).ended(), {
    code: 127,
    rest: 'mav: no-such-program: command not found\n',
  });
});

t.test(
  'watch > a program that ignores SIGTERM, with children > all are killed after the grace',
  async (t) => {
    const daemon = await serveStored(t, [['db', 'one']]);
    const marks = join(daemon.folder, 'marks');
    writeFileSync(marks, '');
    const script = `
    trap '' TERM; echo "has $DB."
    (trap '' TERM; while :; do echo "$DB" >> "${marks}"; sleep 0.02; done) &
    while :; do sleep 0.05; done`;
    const running = new Running(t, daemon, ['--grace', '200ms', '--', 'sh', '-c', script]);
    await running.see('has one.\n');
    await store(daemon, 'db', 'two');
    await running.see('has two.\n');
    writeFileSync(marks, '');
    await store(daemon, 'db', 'three');
    await running.see('has three.\n');
    const { readFileSync } = await import('node:fs');
    writeFileSync(marks, '');
    while (readFileSync(marks, 'utf8').length < 60) await new Promise((resolve) => setTimeout(resolve, 20));
    t.notMatch(readFileSync(marks, 'utf8'), /one|two/, 'no child of an earlier run is left');
    process.kill(-(await findGroup(running)), 'SIGKILL');
    t.equal((await running.ended()).code, 137);
  },
);

/** The process group of the program: it leads one of its own where there is no terminal. */
async function findGroup({ child }: Running): Promise<number> {
  const { readdirSync, readFileSync } = await import('node:fs');
  const found = readdirSync('/proc').filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(child.pid);
    } catch {
      return false;
    }
  });
  return Number(found[0]);
}

t.test('watch > the daemon is started again > goes on, and notices what changed meanwhile', async (t) => {
  const daemon = await serveStored(t, [['db', 'one']]);
  const running = new Running(t, daemon, ['--', 'sh', '-c', APP]);
  await running.see('has one.\n');
  await daemon.stop('SIGKILL');
  const second = await startDaemon(t, { sandbox: daemon, init: null, token: false });
  await store({ socket: daemon.socket, admin: daemon.admin }, 'db', 'two');
  await running.see('has two.\n');
  await second.stop();
  const changed = await mav(daemon, ['set', 'db', '--value', 'three']);
  t.equal(changed.code, 0, changed.stderr);
  await startDaemon(t, { sandbox: daemon, init: null, token: false });
  await running.see('has three.\n');
});

t.test(
  'watch > the token is revoked, or the secret deleted > says so, and the program goes on',
  async (t) => {
    const daemon = await serveStored(t, [['db', 'one']]);
    const { token, id } = await daemon.createToken(['read'], { names: ['db'] });
    const running = new Running(t, daemon, ['--only', 'db', '--', 'sh', '-c', APP], { MAV_TOKEN: token });
    await running.see('has one.\n');
    await daemon.ask('DELETE', '/v1/secrets/db');
    t.match(
      await running.see('sh goes on with what it has\n'),
      /^mav: the default environment holds no secrets\b.*; $/,
    );
    await store(daemon, 'db', 'two');
    await running.see('has two.\n');
    await daemon.ask('DELETE', `/v1/tokens/${id}`);
    const told = await running.see('sh runs on and is not restarted any more\n');
    t.match(told, /^mav: the token is unknown, expired or revoked; $/);
    running.child.kill('SIGTERM');
    t.equal((await running.ended()).code, 9);
  },
);

t.test('watch > an env file > restarts for what the file refers to', async (t) => {
  const daemon = await serveStored(t, [
    ['db', 'one', { environment: 'dev' }],
    ['db', 'x'],
  ]);
  writeFileSync(join(daemon.folder, 'env'), 'DB=mav://dev/db\n');
  const running = new Running(t, daemon, ['--env-file', 'env', '--', 'sh', '-c', APP]);
  await running.see('has one.\n');
  await store(daemon, 'db', 'y');
  await store(daemon, 'db', 'two', { environment: 'dev' });
  t.match(await running.see('has two.\n'), restartFor('db in dev'));
});

t.test('watch > without a program > prints each change: lines, or JSON', async (t) => {
  const daemon = await serveStored(t, [['db', 'one']]);
  const { token, id } = await daemon.createToken(['read', 'write']);
  const json = new Running(t, daemon, []);
  const lines = new Running(t, daemon, ['--env', 'dev', '-o', 'table']);
  await json.see('"reset"');
  t.equal(await lines.see('WHEN'), '');
  await daemon.ask('PUT', '/v1/secrets/a?env=dev', { token, body: { value: 'HIDDEN' } });
  await daemon.ask('PUT', '/v1/secrets/a', { body: { value: 'HIDDEN' } });
  const first = await json.see('"name":"a","environment":"dev","version":1,"change":"set"');
  t.match(first, /^,"id":"[0-9a-f]{16}-[0-9]+"\}\n\{"event":"change","id":"[^"]+",$/);
  t.match(await json.see('"environment":"","version":1'), new RegExp(`"written_by":"${id}"`));
  t.match(await lines.see('a in dev'), /CHANGE +VERSION +SECRET +BY\n20\d\d-\d\d-\d\d \d\d:\d\d +set +1 +$/);
  t.match(await lines.see('\n'), new RegExp(`^ +token ${id} \\(test\\)$`));
  lines.child.kill('SIGINT');
  t.match(await lines.ended(), { rest: '' }, 'nothing of another environment');
});

t.test('watch > no daemon, or what does not go together > says what to do', async (t) => {
  const sandbox = await createVault(t);
  for (const args of [[], ['--', 'true']]) {
    const { code, rest } = await new Running(t, sandbox, args).ended();
    t.equal(code, 1);
    t.match(rest, /^mav: no daemon answers on .*; start one: mav serve\n$/);
  }
  for (const args of [
    ['--only', 'a'],
    ['-o', 'table', '--', 'true'],
    ['--grace', '5 x', '--', 'true'],
  ])
    t.match(await new Running(t, sandbox, args).ended(), { code: 2, rest: /^mav: --/ }, args.join(' '));
});

async function serve(t: Test): Promise<Daemon> {
  return serveStored(t, [['db', 'one']]);
}

t.test(
  'watch > on a terminal > the program reads it, and Ctrl-C is its own',
  { skip: skipWithout('python3') },
  async (t) => {
    const daemon = await serve(t);
    const script = `trap 'echo interrupted' INT; echo "has $DB."; while read line; do echo "got $line"; done; exit 5`;
    const terminal = mavOnTerminal(t, daemon, ['watch', '--', 'sh', '-c', script]);
    await terminal.see('has one.');
    terminal.type('hello\r');
    await terminal.see('got hello');
    await store(daemon, 'db', 'two');
    await terminal.see('mav: db changed; restarting sh');
    await terminal.see('has two.');
    terminal.type('again\r');
    await terminal.see('got again');
    terminal.type('\x04');
    const { code } = await terminal.ended();
    t.equal(code, 5);
  },
);

t.test('watch > Ctrl-C on a terminal > ends program and mav', { skip: skipWithout('python3') }, async (t) => {
  const daemon = await serve(t);
  const terminal = mavOnTerminal(t, daemon, ['watch', '--', 'sh', '-c', APP]);
  await terminal.see('has one.');
  terminal.type('\x03');
  t.equal((await terminal.ended()).code, 130);
});
