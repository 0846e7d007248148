/**
 * The way to the socket as the command line and the client library look at it. The user who runs the tests listens here: what is
 * refused is a place where somebody else could. Another user who does: test/hard/other-listener.ts.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Connection } from '../src/client/connection.ts';
import { readTrustedFile, SECRET, UntrustedError } from '../src/places/trusted-places.ts';
import { createSandbox, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

/** Notes what it is sent, and answers nothing. */
async function listen(t: Test, sandbox: Sandbox): Promise<() => number> {
  let heard = 0;
  mkdirSync(sandbox.home, { mode: 0o700 });
  const server = createServer((socket) => {
    socket.on('data', ({ length }) => {
      heard += length;
      socket.destroy();
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(sandbox.socket, resolve));
  t.teardown(() => server.close());
  writeFileSync(`${sandbox.socket}.session`, `mvs_${'a'.repeat(64)}`, { mode: 0o600 });
  return () => heard;
}

const COMMANDS = [['get', 'x'], ['status'], ['set', 'x', '--value', 'v'], ['seal'], ['token', 'list']];

t.test('the socket > a folder above it that others can write > not a byte, exit 4', async (t) => {
  const sandbox = createSandbox(t);
  const countHeard = await listen(t, sandbox);
  for (const [folder, mode] of [
    [sandbox.home, 0o770],
    [sandbox.home, 0o702],
    [sandbox.folder, 0o775],
  ] as const) {
    chmodSync(folder, mode);
    const says = `${folder} can be written by other users; run: chmod go-w ${folder}`;
    for (const args of COMMANDS)
      t.match(await mav(sandbox, args), { code: 4, stdout: '', stderr: says }, args.join(' '));
    await t.rejects(Connection.open(sandbox.socket), { name: 'UntrustedError', message: says });
    t.equal(countHeard(), 0);
    chmodSync(folder, 0o700);
  }
  const trusting = await Connection.open(sandbox.socket, { checksOwner: false });
  trusting.close();
  t.not((await mav(sandbox, ['get', 'x'])).code, 0);
  t.ok(countHeard() > 0, 'with the folders closed it is asked');
});

t.test('the socket > by a link of one’s own, below a sticky folder > reached', async (t) => {
  const sandbox = createSandbox(t);
  await listen(t, sandbox);
  const sticky = join(sandbox.folder, 'sticky');
  mkdirSync(sticky);
  chmodSync(sticky, 0o1777);
  renameSync(sandbox.home, join(sticky, 'vault'));
  symlinkSync('sticky/../sticky/vault', sandbox.home);
  (await Connection.open(sandbox.socket)).close();
  chmodSync(sticky, 0o777);
  await t.rejects(Connection.open(sandbox.socket), { name: 'UntrustedError' });
});

t.test('a file that others can read, or a link to one > not read', async (t) => {
  const { folder } = createSandbox(t);
  const path = join(folder, 'file');
  t.equal(readTrustedFile(path, SECRET, 100), null, 'nothing is there');
  writeFileSync(path, 'text', { mode: 0o600 });
  t.equal(readTrustedFile(path, SECRET, 100)?.toString(), 'text');
  t.throws(() => readTrustedFile(path, SECRET, 3), /larger than 3 bytes/);
  const link = join(folder, 'link');
  symlinkSync(path, link);
  t.throws(() => readTrustedFile(link, SECRET, 100), UntrustedError);
  rmSync(link);
  symlinkSync('link', link);
  t.throws(() => readTrustedFile(join(link, 'x'), SECRET, 100), /leads in a circle/);
  chmodSync(path, 0o640);
  t.throws(() => readTrustedFile(path, SECRET, 100), /open to other users; run: chmod 600/);
});

t.test('config.json > others can write it > not followed', async (t) => {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  const path = join(sandbox.home, 'config.json');
  writeFileSync(path, '{"env": "prod"}');
  chmodSync(path, 0o644);
  t.equal((await mav(sandbox, ['status'])).code, 0, 'others may read it, if they could');
  chmodSync(path, 0o664);
  const says = `${path} is open to other users; run: chmod go-w ${path}`;
  t.match(await mav(sandbox, ['status']), { code: 4, stdout: '', stderr: says });
});
