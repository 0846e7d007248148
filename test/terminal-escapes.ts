/**
 * What somebody else wrote (a name, metadata, a path, a file, an answer) reaches a terminal without a character that moves
 * the cursor, breaks a line, turns text around or hides; and a pipe as it is.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, fillVault, finished, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(300_000);
const skip = skipWithout('python3');

/** Names may have these, and no control characters. */
const HIDDEN = {
  'bidirectional overrides': '\u202a\u202e\u2066\u2069\u200e\u200f\u061c',
  'zero width': '\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u034f\u115f\u3164',
  separators: '\u2028\u2029',
  tags: '\u{e0041}\u{e007f}\u{e0101}',
};
const CONTROLS = '\x1b]0;x\x07\x1b[31m\x7f\x9b31m\x85\x08';
const NAME = `n${Object.values(HIDDEN).join('')}x`;
const TEXT = `t${CONTROLS}${NAME}`;

/** Written out here, and not taken from the program. */
const BAD = new RegExp(
  [
    '\\p{Cc}|[\\u00ad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f]',
    '[\\u3164\\ufeff\\ufff9-\\ufffb]|\\u034f|[\\u{e0000}-\\u{e0fff}]',
  ].join('|'),
  'u',
);

/** What mav itself writes over a line that says how far it is, on a machine that takes long. */
const OWN_LINE = '\r\x1b[K';

function findBad(raw: string): string | null {
  const text = raw.replaceAll(OWN_LINE, ' ').replaceAll(/\r?\n|\t/g, ' ');
  const found = BAD.exec(text);
  if (found === null) return null;
  return `U+${found[0].codePointAt(0)?.toString(16)} in ${JSON.stringify(text.slice(Math.max(0, found.index - 40), found.index + 20))}`;
}

/** On a terminal without colours; what it showed. */
async function show(t: Test, sandbox: Sandbox, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { raw } = await mavOnTerminal(t, sandbox, args, { NO_COLOR: '1', ...env }).ended();
  t.equal(findBad(raw), null, `mav ${args.join(' ').replaceAll(/[^ -~]/g, '.')}`);
  return raw;
}

async function serveHidden(t: Test): Promise<Daemon> {
  const { folder, ...sandbox } = createSandbox(t);
  const home = join(folder, `v${HIDDEN['bidirectional overrides']}\x1b\x9b\u2028\u{e0041}`);
  const socket = join(home, 'maestrovault.sock');
  const placed = { ...sandbox, folder, home, socket, databasePath: join(home, 'vault.db') };
  const daemon = await startDaemon(t, {
    sandbox: { ...placed, env: { ...sandbox.env, MAV_HOME: home } },
    launched: true,
  });
  const body = { value: 'v', metadata: { [TEXT]: TEXT, number: 1.0 } };
  t.equal((await daemon.ask('PUT', `/v1/secrets/${encodeURIComponent(NAME)}`, { body })).status, 201);
  await daemon.ask('PUT', `/v1/secrets/${encodeURIComponent(NAME)}?env=${encodeURIComponent(NAME)}`, {
    body,
  });
  await daemon.ask('PUT', '/v1/secrets/evil', { body: { value: TEXT } });
  return daemon;
}

t.test('a terminal > names, metadata and paths of every class > none arrives raw', { skip }, async (t) => {
  const daemon = await serveHidden(t);
  await mav(daemon, ['token', 'create', '--name', NAME, '--scope', 'read']);
  const commands: string[][] = [
    ...['table', 'json', 'plain', 'names'].map((form) => ['list', '-o', form]),
    ['search', 'n', '-o', 'json'],
    ['get', NAME, '-o', 'json'],
    ['get', 'evil'],
    ['get', `no${NAME}`],
    ['get', `no${TEXT}`],
    ['get', 'evil', '--env', TEXT],
    ['status'],
    ['status', '-o', 'json'],
    ['doctor'],
    ['doctor', '-o', 'json'],
    ['envs'],
    ['envs', '-o', 'json'],
    ['token', 'list'],
    ['token', 'list', '-o', 'json'],
    ['token', 'revoke', TEXT],
    ['export', '--reveal'],
    ['export', '--reveal', '-o', 'json', '--to', '/dev/tty'],
    ['env', '--reveal'],
    ['env', '--reveal', '-o', 'json'],
    ['exec', '--', `/nowhere/${TEXT}`],
    ['import', join(daemon.folder, TEXT)],
    ['scan', join(daemon.folder, TEXT)],
    ['list', '--home', join(daemon.folder, TEXT)],
    ['list', '--socket', join(daemon.folder, TEXT)],
    ['list', '--filter', `${TEXT}=`],
    [TEXT],
    ['list', `--${TEXT}`],
    ['help', TEXT],
    ['delete', NAME, '--env', `no${NAME}`],
    ['rename', NAME, TEXT],
    ['set', 'x', '--value', 'v', '--metadata', TEXT],
    ['unseal', '--passphrase-file', join(daemon.folder, TEXT)],
    ['completion', TEXT],
    ['__complete', 'zsh', 'get', ''],
  ];
  for (const args of commands) await show(t, daemon, args);
  await show(t, daemon, ['list'], { MAV_TOKEN: TEXT });
});

t.test('a terminal > -o json > means the same as in a pipe, where it is as it was', { skip }, async (t) => {
  const daemon = await serveHidden(t);
  for (const args of [
    ['list', '-o', 'json'],
    ['get', NAME, '-o', 'json'],
    ['envs', '-o', 'json'],
  ]) {
    const shown = await show(t, daemon, args);
    const { stdout } = await mav(daemon, args);
    t.same(JSON.parse(shown), JSON.parse(stdout), args[0] ?? '');
    t.match(stdout, '\u202e', 'raw in a pipe');
  }
  t.equal((await mav(daemon, ['get', 'evil'])).stdout, TEXT);
  t.match(await show(t, daemon, ['get', 'evil']), 'has bytes that a terminal cannot show');
});

t.test('a terminal > questions and progress > their names are escaped', { skip }, async (t) => {
  const daemon = await serveHidden(t);
  for (const [args, seen] of [
    [['purge', NAME], '[y/N]'],
    [['set', NAME], 'Value of n'],
  ] as const) {
    const terminal = mavOnTerminal(t, daemon, args, { NO_COLOR: '1' });
    await terminal.see(seen);
    terminal.type(KEYS.ctrlC);
    const { shown } = await terminal.ended();
    t.equal(findBad(shown.replaceAll('\r', '')), null, args[0]);
    t.match(shown, '\\u{202e}', args[0]);
  }
});

t.test('a terminal > files that somebody else wrote > nothing of them arrives raw', { skip }, async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const write = (name: string, content: unknown) =>
    writeFileSync(join(sandbox.home, name), JSON.stringify(content));
  write('config.json', { [TEXT]: 1 });
  t.match(await show(t, sandbox, ['list']), 'unknown key');
  await show(t, sandbox, ['doctor']);
  rmSync(join(sandbox.home, 'config.json'));
  const word = {
    pid: process.pid,
    command: TEXT,
    since: TEXT,
    socket: `/${TEXT}`,
    protections: { [TEXT]: false },
  };
  writeFileSync(join(sandbox.home, 'owner.json'), JSON.stringify({ ...word, command: 'serve' }), {
    mode: 0o600,
  });
  for (const command of ['status', 'doctor']) await show(t, sandbox, [command]);
  const repository = join(sandbox.folder, 'work');
  mkdirSync(repository);
  writeFileSync(join(repository, `${TEXT.replaceAll('/', '')}.env`), 'no variable at all\n');
  await show(t, sandbox, ['scan', repository]);
  await show(t, sandbox, ['import', join(repository, `${TEXT}.env`), '--format', 'dotenv']);
});

t.test(
  'a terminal > a daemon that answers with control characters > they are escaped',
  { skip },
  async (t) => {
    const sandbox = createSandbox(t);
    mkdirSync(sandbox.home, { mode: 0o700 });
    const error = JSON.stringify({ error: `${TEXT}\nmav: all is well`, code: 'internal', status: 'ok' });
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () =>
        socket.write(`HTTP/1.1 500 No\r\nContent-Length: ${Buffer.byteLength(error)}\r\n\r\n${error}`),
      );
    });
    await new Promise<void>((resolve) => server.listen(sandbox.socket, resolve));
    t.teardown(() => server.close());
    writeFileSync(`${sandbox.socket}.session`, `mvs_${'a'.repeat(64)}`, { mode: 0o600 });
    for (const args of [
      ['list'],
      ['get', 'x'],
      ['set', 'x', '--value', 'v'],
      ['status'],
      ['doctor'],
      ['seal'],
    ]) {
      const raw = await show(t, sandbox, args);
      t.notOk(raw.split(/\r?\n/).includes('mav: all is well'), 'and make no line of their own');
    }
  },
);

t.test('exec > a note about a variable of a foreign name > escaped, in a pipe too', async (t) => {
  const daemon = await serveHidden(t);
  const { stderr } = await finished(
    spawn(
      process.execPath,
      [new URL('../dist/src/bin.js', import.meta.url).pathname, 'exec', '--', `/no/${TEXT}`],
      {
        env: daemon.env,
      },
    ),
  );
  t.notMatch(stderr, '\x1b');
  t.notMatch(stderr, '\u202e');
});
