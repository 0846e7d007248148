/** The files of a project: how they are found and put together, and what is said of one that cannot be followed. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createProject, tomlOf } from './fixtures/project.ts';

t.setTimeout(300_000);

/** A text, the line that is named, and what is said of it. */
const MALFORMED: Readonly<Record<string, readonly [toml: string, line: number | null, said: RegExp]>> = {
  'without a version': ['', null, /version is missing; write: version = 1/],
  'of another version': ['version = 2', 1, /version takes 1/],
  'with an unknown member': ['version = 1\nsecret = 1', 2, /secret is unknown; there are version,/],
  'with an unknown member of a variable': [tomlOf('', 'A = { rf = "x" }'), 4, /secrets\.A\.rf is unknown/],
  'with a number for a text': [tomlOf('A = { default = 3 }'), 3, /secrets\.A\.default takes a text/],
  'with a text for a boolean': [
    tomlOf('A = { ref = "x", as_file = "yes" }'),
    3,
    /as_file takes true or false/,
  ],
  'that is not TOML': [tomlOf('A = { ref = "x"', 'B = "y"'), 4, /not TOML/],
  'with a secret that is no table': ['version = 1\nsecrets = 3', 2, /secrets takes a table/],
  'with a section that is no section': ['version = 1\n[env.prod]\nA = 1', 3, /env\.prod\.A is unknown/],
  'with a name of no variable': [tomlOf('"a-b" = "x"'), 3, /secrets\.a-b is no variable/],
  'with a variable that runs programs': [
    tomlOf('LD_PRELOAD = "x"'),
    3,
    /LD_PRELOAD decides how programs run/,
  ],
  'with another one': [
    tomlOf('NODE_OPTIONS = { default = "x" }'),
    3,
    /NODE_OPTIONS decides how programs run/,
  ],
  'with a malformed reference': [tomlOf('A = { ref = "mav://x" }'), 3, /secrets\.A\.ref is not a reference/],
  'with a reference to a path': [tomlOf('A = "/etc/passwd"'), 3, /ref is not a reference/],
  'with an unknown type': [tomlOf('A = { ref = "x", type = "float" }'), 3, /type takes url, int,/],
  'with a malformed pattern': [tomlOf('A = { ref = "x", type = "regex:(" }'), 3, /type takes url, int,/],
  'with an unknown generator': [tomlOf('A = { ref = "x", generate = "hex" }'), 3, /generate takes hex:N/],
  'with a lone dollar': [tomlOf('A = { composed = "$B" }'), 3, /composed has a dollar sign/],
  'with two sources': [tomlOf('A = { ref = "x", composed = "y" }'), 3, /has ref and composed/],
  'with a default that is required': [
    tomlOf('A = { default = "x", required = true }'),
    3,
    /required and has a default/,
  ],
  'with no source': [
    tomlOf('A = { description = "x" }'),
    3,
    /A has no value; give it ref, composed or default/,
  ],
  'composed of itself': [
    tomlOf('A = { composed = "${B}" }', 'B = { composed = "${A}" }'),
    3,
    /A is composed of itself/,
  ],
  'composed of an unknown one': [tomlOf('A = { composed = "${BB}" }', 'BBB = "x"'), 3, /did you mean BBB\?/],
  'that extends a file elsewhere': [
    'version = 1\nextends = "/etc/passwd"',
    2,
    /extends takes paths of other files/,
  ],
  'that extends itself': ['version = 1\nextends = ["mav.toml"]', null, /extends leads in a circle/],
};

t.test(
  'project > a file that cannot be followed > file, line and member are named, and nothing runs',
  async (t) => {
    const project = await createProject(t, { x: 'stored' });
    for (const [what, [toml, line, said]] of Object.entries(MALFORMED)) {
      project.write('mav.toml', toml);
      const { code, stdout, stderr } = await project.run(['exec', '--', 'echo', 'ran']);
      t.match([code, stdout], [2, ''], what);
      t.match(stderr, said, what);
      t.equal(stderr.trimEnd().split('\n').length, 1, `${what}: one line`);
      const place = join(project.app, 'mav.toml') + (line === null ? ':' : `, line ${line}:`);
      t.ok(stderr.startsWith(`mav: ${place}`), `${what}: ${stderr}`);
    }
    project.write('mav.toml', 'version = 2');
    t.match(await project.run(['exec', '--no-project', '--', 'echo', 'ran']), { code: 0, stdout: 'ran\n' });
  },
);

t.test('project > what lies there is no file of this user > it is not read', async (t) => {
  const project = await createProject(t);
  const path = join(project.app, 'mav.toml');
  const refused = async (said: RegExp) => {
    const { code, stderr } = await project.run(['exec', '--', 'true']);
    t.not(code, 0);
    t.match(stderr, said);
    rmSync(path, { recursive: true });
  };
  execFileSync('mkfifo', [path]);
  await refused(/is not a file/);
  mkdirSync(path);
  await refused(/is not a file/);
  symlinkSync('/dev/zero', path);
  await refused(/is not a file/);
  project.write('mav.toml', '#'.repeat(1_048_577));
  await refused(/is larger than 1048576 bytes/);
  project.write('mav.toml', '\xff');
  project.write('mav.toml', tomlOf());
  chmodSync(path, 0o666);
  await refused(/can be written by any user, so it is not used/);
  if (process.geteuid?.() !== 0) return;
  project.write('mav.toml', tomlOf());
  chownSync(path, 12_345, 12_345);
  await refused(/belongs to another user, so it is not used/);
});

t.test('project > several files > the nearest is on top, up to a root', async (t) => {
  const project = await createProject(t);
  project.write(
    '../mav.toml',
    tomlOf('A = { default = "above" }', 'B = { default = "above" }', 'C = { default = "above" }'),
  );
  project.write('../../mav.toml', tomlOf('D = { default = "far above" }'));
  project.write(
    'mav.toml',
    `extends = ["more/base.toml"]\n${tomlOf('A = { default = "project" }', 'B = { default = "project" }')}`,
  );
  project.write('mav.local.toml', tomlOf('A = { default = "local" }'));
  project.write('more/base.toml', tomlOf('B = { default = "base" }', 'E = { default = "base" }'));
  const show = async () =>
    (await project.run(['exec', '-q', '--', 'sh', '-c', 'echo "$A,$B,$C,$D,$E"'], { in: 'more' })).stdout;
  t.equal(await show(), 'local,project,above,far above,base\n');
  const files = (await project.run(['project', 'files'])).stdout.trimEnd().split('\n');
  const names = ['app/mav.local.toml', 'app/mav.toml', 'app/more/base.toml', 'work/mav.toml', 'mav.toml'];
  t.equal(files.length, names.length);
  for (const [at, name] of names.entries()) t.ok(files[at]?.endsWith(`/${name}`), name);
  project.write('mav.toml', `root = true\n${tomlOf('A = { default = "project" }')}`);
  t.equal(await show(), 'local,,,,\n', 'a root has nothing of what is above, nor of what it does not extend');
});

t.test(
  'project > one variable in several layers > members of the upper are on top, and its source counts alone',
  async (t) => {
    const project = await createProject(t, { 'mav://prod/db': 'prod', 'mav://dev/db': 'dev', other: 'o' });
    project.write(
      'mav.toml',
      `environment = "dev"\n${tomlOf('DB = { ref = "db", description = "main", type = "regex:^[a-z]+$" }', 'PORT = { default = "80" }')}
[env.prod.secrets]
PORT = "other"
[env.none.secrets]
DB = { default = "X1" }`,
    );
    const show = async (...args: string[]) =>
      project.run(['exec', ...args, '--', 'sh', '-c', 'echo "$DB,$PORT"']);
    t.match(await show('-q'), { stdout: 'dev,80\n' });
    t.match(await show('-q', '--env', 'prod'), { stdout: 'prod,o\n' });
    t.match(await project.run(['exec', '-q', '--', 'sh', '-c', 'echo "$DB"'], { env: { MAV_ENV: 'prod' } }), {
      stdout: 'prod\n',
    });
    const { code, stderr } = await show('--env', 'none');
    t.equal(code, 1);
    t.match(stderr, /^mav: DB \(.*mav\.toml, line \d+\) does not match \^\[a-z\]\+\$\n$/);
    t.notMatch(stderr, /X1/);
  },
);
