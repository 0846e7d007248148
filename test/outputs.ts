/** Where secrets are written in the clear: on a terminal only where that was asked for, and into outputs that are no files. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ask } from './fixtures/ask.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { BIN, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

async function serveCanary(t: Parameters<typeof startDaemon>[0]): Promise<Daemon> {
  const daemon = await startDaemon(t);
  const target = '/v1/secrets/db/value?env=';
  await ask(daemon.socket, 'PUT', target, { token: daemon.admin, body: Buffer.from('canary') });
  writeFileSync(join(daemon.folder, 'template'), 'x {{ mav:///db }}\n');
  writeFileSync(join(daemon.folder, 'plain'), 'no reference\n');
  return daemon;
}

t.test(
  'env, inject, export > a terminal would show it > only with --reveal',
  { skip: skipWithout('python3') },
  async (t) => {
    const daemon = await serveCanary(t);
    const commands = [
      ['env'],
      ['env', '-o', 'json'],
      ['env', '-o', 'dotenv'],
      ['inject', '-i', 'template'],
      ['inject', '-i', 'template', '-o', '-'],
      ['inject', '-i', 'template', '-o', '/dev/stdout'],
      ['inject', '-i', 'template', '-o', '/dev/tty'],
      ['export'],
      ['export', '--to', '-'],
      ['export', '--to', '/dev/stdout'],
    ];
    for (const command of commands) {
      const title = command.join(' ');
      const refused = await mavOnTerminal(t, daemon, command).ended();
      t.equal(refused.code, 2, title);
      t.match(refused.shown, /on the screen.*--reveal/s, title);
      t.notMatch(refused.shown, 'canary', title);
      const revealed = await mavOnTerminal(t, daemon, [...command, '--reveal']).ended();
      t.equal(revealed.code, 0, title);
      t.match(revealed.shown, 'canary', title);
    }
    const plain = await mavOnTerminal(t, daemon, ['inject', '-i', 'plain']).ended();
    t.same([plain.code, plain.shown], [0, 'no reference\n'], 'no secret is in it');
    t.equal((await mavOnTerminal(t, daemon, ['get', 'db']).ended()).code, 0, 'get is there to print');
  },
);

t.test('inject, export > outputs that are no files > are written to, and stay what they are', async (t) => {
  const daemon = await serveCanary(t);
  const run = (script: string) =>
    spawnSync('sh', ['-c', script], {
      env: { ...daemon.env, NODE: process.execPath, BIN, INJECT: 'inject -i template -o' },
      cwd: daemon.folder,
      encoding: 'utf8',
    });
  const filled = 'x canary\n';
  t.equal(run('"$NODE" "$BIN" $INJECT /dev/stdout | cat').stdout, filled, 'a pipe');
  run('echo before > log; "$NODE" "$BIN" $INJECT /dev/stdout >> log; echo after >> log');
  t.equal(readFileSync(join(daemon.folder, 'log'), 'utf8'), `before\n${filled}after\n`, 'nothing is cut off');
  t.equal(run('"$NODE" "$BIN" $INJECT /dev/stderr 2>&1 >/dev/null').stdout, filled);
  t.equal(run('"$NODE" "$BIN" $INJECT /dev/fd/5 5>&1 >/dev/null').stdout, filled);
  t.equal(run('"$NODE" "$BIN" $INJECT /proc/self/fd/5 5>&1 >/dev/null').stdout, filled);
  const closed = run('"$NODE" "$BIN" $INJECT /dev/fd/7 7>&-');
  t.equal(closed.status, 1);
  t.match(closed.stderr, '/dev/fd/7 cannot be written');
  t.same([run('"$NODE" "$BIN" $INJECT /dev/null').status, lstatSync('/dev/null').isFile()], [0, false]);
  t.match(run('"$NODE" "$BIN" export --to - | cat').stdout, /^\{"format":"maestrovault-export"/);
  t.match(run('"$NODE" "$BIN" export --to /dev/stdout | cat').stdout, /^\{"format":"maestrovault-export"/);
  if (existsSync('/dev/full')) t.equal(run('"$NODE" "$BIN" $INJECT /dev/full').status, 1);
});

t.test('inject > a FIFO > its reader gets all of it', { skip: skipWithout('mkfifo') }, async (t) => {
  const daemon = await serveCanary(t);
  const fifo = join(daemon.folder, 'fifo');
  spawnSync('mkfifo', [fifo]);
  writeFileSync(join(daemon.folder, 'template'), `${'x'.repeat(300_000)}{{ mav:///db }}`);
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(reader, 'close');
  let read = '';
  reader.stdout.setEncoding('utf8').on('data', (text) => (read += text));
  const { code, stderr } = await mav(daemon, ['inject', '-i', 'template', '-o', fifo]);
  t.same([code, stderr], [0, '']);
  await closed;
  t.equal(read.length, 300_006);
  t.ok(lstatSync(fifo).isFIFO());
});

t.test('inject > an output that cannot be, or a template in UTF-16 > a clear error', async (t) => {
  const daemon = await serveCanary(t);
  const file = join(daemon.folder, 'kept');
  writeFileSync(file, 'before');
  chmodSync(file, 0o400);
  mkdirSync(join(daemon.folder, 'sub'));
  const run = (...args: string[]) => mav(daemon, ['inject', ...args]);
  t.match(await run('-i', 'template', '-o', file), { code: 1, stderr: 'kept is write-protected' });
  t.equal(readFileSync(file, 'utf8'), 'before');
  t.match(await run('-i', 'template', '-o', 'sub'), { code: 1, stderr: 'sub is a folder' });
  t.match(await run('-i', 'template', '-o', 'no/such'), { code: 1, stderr: 'no/such cannot be written' });
  const text = 'x {{ mav:///db }}\n';
  const swap = (bytes: Buffer) => Buffer.from(bytes).swap16();
  const little = Buffer.from(text, 'utf16le');
  const wide = Buffer.from([...text].flatMap((letter) => [letter.charCodeAt(0), 0, 0, 0]));
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), little]);
  for (const bytes of [marked, swap(marked), little, swap(little), wide, Buffer.from([0xff, 0xfe])]) {
    writeFileSync(join(daemon.folder, 'wide'), bytes);
    const refused = await run('-i', 'wide', '-o', 'out');
    t.match(refused, { code: 2, stderr: 'wide is UTF-16 or UTF-32 text; save it as UTF-8' });
    t.notOk(existsSync(join(daemon.folder, 'out')));
  }
  const marks = await mav(daemon, ['inject'], { input: `\ufeff${text}` });
  t.same([marks.code, marks.stdout], [0, '\ufeffx canary\n'], 'UTF-8 with a mark');
});
