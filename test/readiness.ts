/** What the daemon tells a service manager when it listens. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { takeNotify } from '../src/daemon/readiness.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { waitUntil } from './fixtures/raw.ts';
import { createVault, finished } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** Receives datagrams, which Node cannot, and prints each as a line. */
async function startReceiver(t: Test, path: string): Promise<() => string[]> {
  const program = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)`;
  const child = spawn('python3', ['-c', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let received = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (received += text));
  const ended = finished(child);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await waitUntil(() => received.startsWith('bound\n'));
  return () => received.split('\n').slice(1, -1);
}

t.test(
  'serve > NOTIFY_SOCKET is set > tells when it listens',
  { skip: skipWithout('python3', 'systemd-notify') },
  async (t) => {
    const sandbox = await createVault(t);
    const notify = join(sandbox.folder, 'notify.sock');
    const received = await startReceiver(t, notify);
    const daemon = await startDaemon(t, {
      sandbox: { ...sandbox, env: { ...sandbox.env, NOTIFY_SOCKET: notify } },
      init: null,
    });
    await waitUntil(() => received().includes('READY=1'));
    t.equal((await daemon.stop()).code, 0);
    t.same(
      received().filter((line) => line !== 'BARRIER=1'),
      ['READY=1'],
    );
  },
);

t.test('serve > nobody can be told that it is ready > serves all the same, and logs it', async (t) => {
  const sandbox = await createVault(t, { NOTIFY_SOCKET: '/nonexistent/notify' });
  const daemon = await startDaemon(t, { sandbox, init: null });
  const warns = () => daemon.log().some(({ detail }) => /was not told READY=1: systemd-notify/.test(detail));
  await waitUntil(warns);
  t.equal((await daemon.ask('GET', '/v1/secrets')).status, 200);
  t.equal((await daemon.stop()).code, 0);
  const said: string[] = [];
  const report = (_event: string, detail: string) => void said.push(detail);
  takeNotify({ NOTIFY_SOCKET: '/nonexistent' }, report, ['/nonexistent/systemd-notify'])();
  t.same(said, ['the service manager was not told READY=1: systemd-notify is not installed']);
  takeNotify({ NOTIFY_SOCKET: '/nonexistent' }, report, ['/dev/null'])();
  await waitUntil(() => said.length === 2);
  t.match(said[1], 'systemd-notify cannot be run, EACCES');
});
