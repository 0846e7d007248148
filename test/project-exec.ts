/** What `mav exec`, `env` and `watch` do in the folder of a project. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { createProject, tomlOf } from './fixtures/project.ts';
import { waitUntil } from './fixtures/raw.ts';
import { finished, mav, spawnMav } from './fixtures/vault.ts';

t.setTimeout(300_000);

const WHOLE = tomlOf(
  'URL = { ref = "app/url", type = "url" }',
  'KEY = "mav:///app/key#part"',
  'PORT = { default = "80", type = "port" }',
  'DSN = { composed = "${KEY}@${PORT}/$$" }',
  'MAYBE = { ref = "not/there", required = false }',
);
const STORED = { 'app/url': 'http://h', 'mav:///app/key#part': 'k', unnamed: 'u' };
const SHOW = ['sh', '-c', 'echo "$URL,$KEY,$PORT,$DSN,${MAYBE-unset},${UNNAMED-unset}"'];

t.test(
  'exec > in a folder of a project > the program has what the file names, and a note says so',
  async (t) => {
    const project = await createProject(t, STORED);
    project.write('mav.toml', WHOLE);
    project.write('deep/er/file', '');
    const expected = 'http://h,k,80,k@80/$,unset,unset\n';
    const { code, stdout, stderr } = await project.run(['exec', '--', ...SHOW], { in: 'deep/er' });
    t.same([code, stdout], [0, expected]);
    t.equal(stderr, `Note: 4 variables of ${join(project.app, 'mav.toml')}, the default environment\n`);
    t.match(await project.run(['run', '-q', '--', ...SHOW]), { stdout: expected, stderr: '' });
    const evaluated = await project.run(['env', '-o', 'json']);
    t.same(JSON.parse(evaluated.stdout), { URL: 'http://h', KEY: 'k', PORT: '80', DSN: 'k@80/$' });
  },
);

t.test('exec > an option chooses secrets > it wins over the file', async (t) => {
  const project = await createProject(t, STORED);
  project.write('mav.toml', WHOLE);
  project.write('.env.mav', 'URL=from-env-file\n');
  const show = async (...args: string[]) => (await project.run(['exec', ...args, '--', ...SHOW])).stdout;
  t.equal(await show('--no-project'), ',,,,unset,u\n');
  t.equal(await show('--only', 'unnamed'), ',,,,unset,u\n');
  t.equal(await show('--env-file', '.env.mav'), 'from-env-file,,,,unset,unset\n');
  const exported = await project.run(['export', '-o', 'dotenv']);
  t.match(exported.stdout, /UNNAMED=/, 'an export is of the vault, and not of the project');
});

t.test(
  'exec > something is missing or does not fit > nothing runs, and the command that sets it is named',
  async (t) => {
    const project = await createProject(t, { 'app/url': 'no URL' });
    const place = (line: number) => `${join(project.app, 'mav.toml')}, line ${line}`;
    project.write('mav.toml', tomlOf('A = "a b#c"', 'B = "mav://prod/b"'));
    const missing = await project.run(['exec', '--', 'echo', 'ran']);
    t.same([missing.code, missing.stdout], [3, '']);
    t.equal(
      missing.stderr,
      `mav: A (${place(3)}) is not stored; set it: mav set 'a b' --field c; and 1 more: mav project check lists them\n`,
    );
    project.write('mav.toml', tomlOf('A = { ref = "app/url", type = "url" }'));
    const unfit = await project.run(['exec', '--', 'echo', 'ran']);
    t.same([unfit.code, unfit.stdout], [1, '']);
    t.equal(unfit.stderr, `mav: A (${place(3)}) is not a URL; set it: mav set app/url\n`);
  },
);

t.test('exec > nothing of the project is stored > it needs no vault', async (t) => {
  const project = await createProject(t);
  project.write('mav.toml', tomlOf('PORT = { default = "80" }'));
  const { stdout } = await project.run(['exec', '-q', '--', 'sh', '-c', 'echo "$PORT"'], {
    env: { MAV_HOME: join(project.folder, 'nowhere') },
  });
  t.equal(stdout, '80\n');
});

const AS_FILE = tomlOf('TLS = { ref = "app/tls", as_file = true }');

t.test('exec > as_file > a private file on memory, which goes with the program', async (t) => {
  const project = await createProject(t);
  await mav(project, ['set', 'app/tls'], { input: Buffer.from([0, 1, 0xff, 0x0a]) });
  project.write('mav.toml', AS_FILE);
  // The shell waits for all its children: one of ours would keep it for ever.
  const script = 'wait; od -An -tx1 "$TLS"; echo "$TLS"; kill -9 $$';
  const { signal, stdout } = await project.run(['exec', '-q', '--', 'sh', '-c', script]);
  t.equal(signal, 'SIGKILL');
  const [bytes, path = ''] = stdout.trimEnd().split('\n');
  t.equal(bytes?.trim(), '00 01 ff 0a');
  await waitUntil(() => !existsSync(dirname(dirname(path))));
  const { code, stderr } = await project.run(['env']);
  t.equal(code, 2);
  t.match(stderr, /TLS .* is a file that goes with the program that uses it; give it by mav exec/);
});

t.test('exec > as_file, while the program runs > only the owner can read it', async (t) => {
  const project = await createProject(t, { 'app/tls': 'key' });
  project.write('mav.toml', AS_FILE);
  const child = spawnMav(project, ['exec', '-q', '--', 'sh', '-c', 'echo "$TLS"; read line'], {
    cwd: project.app,
  });
  let path = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => (path += text));
  await waitUntil(() => path.endsWith('\n'));
  path = path.trimEnd();
  t.equal(readFileSync(path, 'utf8'), 'key');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(dirname(dirname(path))).mode & 0o777, 0o700);
  t.same(readdirSync(dirname(path)), ['TLS']);
  child.stdin?.end('\n');
  t.equal((await finished(child)).code, 0);
  await waitUntil(() => !existsSync(dirname(dirname(path))));
});

t.test(
  'watch > a secret of the project changes > the program runs again, and others do not count',
  async (t) => {
    const project = await createProject(t, STORED);
    project.write('mav.toml', tomlOf('URL = "app/url"', 'TLS = { ref = "unnamed", as_file = true }'));
    await startDaemon(t, { sandbox: project, init: null, token: false });
    const child = spawnMav(
      project,
      ['watch', '--', 'sh', '-c', 'echo "$URL $(cat "$TLS")"; exec sleep 300'],
      { cwd: project.app },
    );
    let shown = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (shown += text));
    await waitUntil(() => shown === 'http://h u\n');
    await mav(project, ['set', 'elsewhere'], { input: 'x' });
    await mav(project, ['set', 'app/url'], { input: 'http://new' });
    await waitUntil(() => shown === 'http://h u\nhttp://new u\n');
    await mav(project, ['set', 'unnamed'], { input: 'v' });
    await waitUntil(() => shown === 'http://h u\nhttp://new u\nhttp://new v\n');
    child.kill('SIGTERM');
    await finished(child);
  },
);
