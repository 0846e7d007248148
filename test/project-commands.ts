/** `mav project …`: what is missing, what sets it up, and what is made of the file for others. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import t from 'tap';
import { MEMBER_NAMES } from '../src/cli/project/declarations.ts';
import { skipWithout } from './fixtures/programs.ts';
import { createProject, tomlOf } from './fixtures/project.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(300_000);

const NEEDS = tomlOf(
  'A = { ref = "app/a", type = "int", description = "the first" }',
  'B = { ref = "mav://prod/b#user", generate = "hex:32" }',
  'C = { composed = "${B}" }',
  'D = { ref = "d", required = false }',
);

t.test('project check > something is missing or ill-typed > a line for each, exit code 1', async (t) => {
  const project = await createProject(t, { 'app/a': 'value-of-a' });
  project.write('mav.toml', NEEDS);
  const { code, stdout } = await project.run(['project', 'check']);
  t.equal(code, 1);
  const place = (line: number) => `${join(project.app, 'mav.toml')}, line ${line}`;
  t.same(stdout.split('\n'), [
    `A (${place(3)}) is not a whole number; set it: mav set app/a`,
    `B (${place(4)}) is not stored; set it: mav set b --env prod --field user`,
    `C (${place(5)}) is composed of B, which has no value`,
    '',
  ]);
  const { stdout: json } = await project.run(['project', 'check', '-o', 'json']);
  t.notMatch(json, /value-of-a/);
  t.match(JSON.parse(json), {
    files: [join(project.app, 'mav.toml')],
    environment: '',
    variables: [
      { name: 'A', state: 'unfit', ref: 'mav:///app/a', command: 'mav set app/a' },
      { name: 'B', state: 'missing', ref: 'mav://prod/b#user' },
      { name: 'C', state: 'missing', lacking: ['B'] },
      { name: 'D', state: 'absent' },
    ],
  });
  t.match(await project.run(['project', 'check'], { in: '..' }), {
    code: 3,
    stderr: /make one: mav project init/,
  });
});

t.test('project setup > without a terminal > generates what it can, and names the rest', async (t) => {
  const project = await createProject(t);
  project.write('mav.toml', NEEDS);
  const { code, stderr } = await project.run(['project', 'setup']);
  t.equal(code, 1);
  t.match(stderr, /Stored the field user of b in prod, for B\./);
  t.match(stderr, /^mav: A \(.*\) is not stored; set it: mav set app\/a$/m);
  const { stdout } = await mav(project, ['get', 'b', '--env', 'prod', '--field', 'user']);
  t.match(stdout, /^[0-9a-f]{64}$/);
  await mav(project, ['set', 'app/a', '--value', '1']);
  t.match(await project.run(['project', 'setup']), { code: 0, stderr: /^All is there: 4 variables of / });
  t.equal((await mav(project, ['get', 'b', '--env', 'prod', '--field', 'user'])).stdout, stdout, 'it stays');
});

t.test(
  'project setup > on a terminal > asks for the rest until it fits',
  { skip: skipWithout('python3') },
  async (t) => {
    const project = await createProject(t);
    project.write('mav.toml', NEEDS);
    const terminal = mavOnTerminal(t, { ...project, folder: project.app }, ['project', 'setup']);
    for (const answer of ['one', '1']) {
      await terminal.see('Value of A, the first: ');
      terminal.type(answer + KEYS.enter);
      await terminal.see('Once more: ');
      terminal.type(answer + KEYS.enter);
      if (answer === 'one') await terminal.see('That is not a whole number.');
    }
    const { code, shown } = await terminal.ended();
    t.equal(code, 0);
    t.match(shown, /Stored app\/a, for A\./);
    t.equal((await mav(project, ['get', 'app/a'])).stdout, '1');
  },
);

/** A file of another program, and what becomes of it. */
const FOREIGN: Readonly<Record<string, readonly [text: string, lines: readonly string[]]>> = {
  '.env.example': [
    '# main database\nDATABASE_URL=postgres://u:pw@h/d\n\nexport PORT=80\n',
    [
      'DATABASE_URL = { ref = "app/database-url", description = "main database" }',
      'PORT = { ref = "app/port" }',
    ],
  ],
  '.env.schema': [
    '# @required @type=port\nPORT=\n# A key\nKEY=\n',
    ['PORT = { ref = "app/port" }', 'KEY = { ref = "app/key", description = "A key" }'],
  ],
  'fnox.toml': [
    '[providers.age]\ntype = "age"\n[secrets]\nKEY = { provider = "age", value = "c2VjcmV0", description = "x" }\nPORT = { default = "80" }\n',
    ['KEY = { ref = "app/key", description = "x" }', 'PORT = { ref = "app/port", default = "80" }'],
  ],
  'secretspec.toml': [
    '[project]\nname = "x"\n[profiles.default]\nKEY = { description = "a key", required = true }\nOPT = { required = false }\n',
    ['KEY = { ref = "app/key", description = "a key" }', 'OPT = { ref = "app/opt", required = false }'],
  ],
};

t.test(
  'project init > from the file of another program > its variables and none of its values',
  async (t) => {
    for (const [name, [text, lines]] of Object.entries(FOREIGN)) {
      const project = await createProject(t);
      project.write(name, text);
      const { code, stderr } = await project.run(['project', 'init', '--from', name]);
      t.equal(code, 0, stderr);
      const made = readFileSync(join(project.app, 'mav.toml'), 'utf8');
      t.same(made.trimEnd().split('\n').slice(-lines.length), lines, name);
      t.notMatch(made, /pw@h|c2VjcmV0/);
      t.match(await project.run(['project', 'files']), { code: 0 }, 'it can be read');
      t.notOk(existsSync(join(project.app, '.gitignore')), 'no git, nothing to ignore');
      t.match(await project.run(['project', 'init']), {
        code: 1,
        stderr: /is there already; nothing was changed/,
      });
      t.equal(readFileSync(join(project.app, 'mav.toml'), 'utf8'), made);
    }
  },
);

t.test('project init > bad input > one line, and no file', async (t) => {
  const project = await createProject(t);
  project.write('.env', 'LD_PRELOAD=x\n');
  project.write('broken.toml', 'a = \n');
  project.write('other.toml', 'a = 1\n');
  const cases = [
    ['.env', /LD_PRELOAD decides how programs run/],
    ['broken.toml', /line 1: not TOML/],
    ['other.toml', /neither the table secrets of a fnox.toml nor/],
    ['nope', /nope cannot be read/],
  ] as const;
  for (const [from, said] of cases) {
    const { code, stderr } = await project.run(['project', 'init', '--from', from]);
    t.not(code, 0, from);
    t.match(stderr, said);
    t.notOk(existsSync(join(project.app, 'mav.toml')), from);
  }
});

t.test(
  'project init > in a git work tree > mav.local.toml is ignored',
  { skip: skipWithout('git') },
  async (t) => {
    const project = await createProject(t);
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: project.app, env: project.env }).toString();
    git('init', '-q');
    project.write('.gitignore', 'node_modules');
    t.match(await project.run(['project', 'init']), {
      code: 0,
      stderr: /Added mav\.local\.toml to \.gitignore\./,
    });
    project.write('mav.local.toml', tomlOf());
    t.equal(git('status', '--porcelain', '-uall'), '?? .gitignore\n?? mav.toml\n');
    t.equal(readFileSync(join(project.app, '.gitignore'), 'utf8'), 'node_modules\nmav.local.toml\n');
  },
);

t.test('project template > read by dotenv > every variable, and the file\u2019s own values', async (t) => {
  const project = await createProject(t, { 'app/a': '1' });
  project.write(
    'mav.toml',
    tomlOf('A = "app/a"', `B = { default = "it's \\"x\\" # y" }`, 'C = { default = "a b" }'),
  );
  const { stdout } = await project.run(['project', 'template']);
  t.match(parseDotenv(stdout), { A: '', C: 'a b' });
  t.notMatch(stdout, /=1/);
});

t.test('project types ts > compiled > declares every variable', async (t) => {
  const project = await createProject(t);
  project.write('mav.toml', NEEDS);
  const { stdout } = await project.run(['project', 'types', 'ts']);
  project.write('env.d.ts', stdout);
  project.write(
    'good.ts',
    'const env = {} as NodeJS.ProcessEnv; export const a: string = env.A; export const d: string | undefined = env.D;',
  );
  project.write('bad.ts', 'const env = {} as NodeJS.ProcessEnv; export const d: string = env.D;');
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin/tsc',
  );
  const compile = (file: string) =>
    execFileSync(process.execPath, [compiler, '--noEmit', '--strict', '--types', '', 'env.d.ts', file], {
      cwd: project.app,
    });
  t.doesNotThrow(() => compile('good.ts'));
  t.throws(() => compile('bad.ts'));
  t.match(await project.run(['project', 'types', 'go']), { code: 2, stderr: /takes ts/ });
});

t.test('project schema > its members > are those that the file may have', async (t) => {
  const project = await createProject(t);
  const schema = JSON.parse((await project.run(['project', 'schema'])).stdout);
  t.same(Object.keys(schema.$defs.declaration.properties), MEMBER_NAMES);
  project.write('mav.toml', 'x = 1');
  const [, known = ''] = /there are (.*)\n/.exec((await project.run(['project', 'files'])).stderr) ?? [];
  project.write('mav.toml', 'version = 1\nx = 1');
  const [, all = known] = /there are (.*)\n/.exec((await project.run(['project', 'files'])).stderr) ?? [];
  t.same(Object.keys(schema.properties).sort(), all.split(', ').sort());
});
