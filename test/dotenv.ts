/** Dotenv files as `mav` reads them: line by line like the readers that people have, and with references to secrets. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseDotenv } from '../src/cli/formats/dotenv.ts';
import { findDotenvReaders } from './fixtures/dotenv-readers.ts';
import { createSandbox, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

function read(text: string): Record<string, string> | null {
  try {
    return Object.fromEntries(parseDotenv('f', text).map(({ name, value }) => [name, value]));
  } catch {
    return null;
  }
}

/** Lines, each with the value of V; null: an error. */
const LINES: readonly (readonly [line: string, value: string | null])[] = [
  ['V= # comment', ''],
  ['V=  #comment', ''],
  ['V=\t# comment', ''],
  ['V= #', ''],
  ['V=', ''],
  ['V= ', ''],
  ['V=""', ''],
  ["V='' # comment", ''],
  ['V=#x', '#x'],
  ['V=# x', '# x'],
  ['V=x#y', 'x#y'],
  ['V=x # y', 'x'],
  ['V=x #y # z', 'x'],
  ['V=x\t# y', 'x'],
  ['V="x" # y', 'x'],
  ['V="x"# y', 'x'],
  ["V='x'\t#", 'x'],
  ['V="a # b"', 'a # b'],
  ["V='a # b' # c", 'a # b'],
  ['export V=x', 'x'],
  ['export\tV = x', 'x'],
  ['  V  =  x  ', 'x'],
  ['\tV\t=\t"x"\t', 'x'],
  ['V=a b', 'a b'],
  ['V==x', '=x'],
  ["V=it's", "it's"],
  ['V="a\\nb\\"\\\\"', 'a\nb"\\'],
  ["V='a\\nb'", 'a\\nb'],
  ['V=a\\nb', 'a\\nb'],
  ['V=C:\\dir\\', 'C:\\dir\\'],
  ['V="${W} $W \\$W"', '${W} $W $W'],
  ['#V=1\nV=2', '2'],
  ['V=1\nexport V', '1'],
  ['\ufeffV=x', 'x'],
  ['V', null],
  ['V="x" y', null],
  ["V='a'b", null],
  ['V="x', null],
  ["V='x", null],
  ['1V=x', null],
];

t.test('parseDotenv > a line of each kind > its value, or an error; the next line stays', async (t) => {
  for (const [line, value] of LINES) {
    const found = read(`${line}\nNEXT=y\n`);
    t.strictSame(found, value === null ? null : { V: value, NEXT: 'y' }, JSON.stringify(line));
  }
});

t.test('parseDotenv > LF, CRLF or CR > ends a line; inside quotes each becomes LF', async (t) => {
  const lines = [
    '# comment',
    'A=1',
    '',
    'B="x',
    'y"',
    "C='x",
    '',
    "y' # comment",
    'D=`x',
    'y`',
    'E= # comment',
    'F="a\\rb"',
  ];
  const expected = { A: '1', B: 'x\ny', C: 'x\n\ny', D: 'x\ny', E: '', F: 'a\rb' };
  for (const end of ['\n', '\r\n', '\r']) {
    t.strictSame(read(lines.join(end)), expected, JSON.stringify(end));
    t.strictSame(read(`\ufeff${lines.join(end)}${end}`), expected);
    t.throws(() => parseDotenv('f', ['A=1', 'B="', '"', 'hunter2'].join(end)), {
      message: /^f, line 4: (?!.*hunter2)/,
    });
  }
});

t.test('parseDotenv > what is malformed > says which line and what is wrong, never the text', async (t) => {
  const wrong = [
    'hunter2',
    '1A=hunter2',
    'A-B=hunter2',
    '=hunter2',
    'A="hunter2',
    "A='hunter2' hunter2",
    'A=hunter2\0',
  ];
  const said = wrong.map((line) => {
    try {
      parseDotenv('f', `GOOD=1\n${line}`);
    } catch (error) {
      return (error as Error).message;
    }
    return null;
  });
  t.notMatch(said.join(), 'hunter2');
  t.matchSnapshot(said);
});

/** The readers in Go are seldom at hand; without others the count below says nothing. */
const READERS = findDotenvReaders();
const missing = READERS.filter(({ name }) => !['godotenv', 'Docker Compose'].includes(name)).find(
  (reader) => reader.missing,
)?.missing;

t.test(
  'parseDotenv > the programs that read dotenv > several read the same',
  { skip: missing ?? false },
  async (t) => {
    const readers = READERS.filter((reader) => !reader.missing);
    const lines = LINES.filter(([line, value]) => value !== null && !line.includes('$'));
    const found = readers.map((reader) =>
      reader.read(
        lines.map(([line]) => `${line}\nNEXT=y\n`),
        ['V'],
      ),
    );
    for (const [at, [line, value]] of lines.entries()) {
      const alike = readers.filter((_reader, index) => (found[index]?.[at]?.V ?? '') === value);
      t.ok(alike.length >= 2, `${JSON.stringify(line)}: ${alike.map(({ name }) => name).join(', ')}`);
    }
  },
);

let sandbox: Sandbox;

t.before(async () => {
  sandbox = createSandbox(t);
  await fillVault(sandbox);
  await mav(sandbox, ['set', 'db', '--env', 'prod'], { input: 'hunter2' });
});

function writeEnvFile(text: string): string {
  const path = join(sandbox.folder, 'test.env');
  writeFileSync(path, text);
  return path;
}

for (const command of [['env', '-o', 'json'], ['exec']]) {
  const [name = ''] = command;
  const run = (path: string, ...last: string[]) =>
    mav(sandbox, [...command, '--env-file', path, ...(name === 'exec' ? ['--', 'printenv', ...last] : [])]);

  t.test(
    `${name} --env-file > a reference inside of a longer value > an error that says what to do`,
    async (t) => {
      const wrong = [
        'postgres://u:mav://prod/db@host',
        '"x mav://prod/db"',
        "' mav://prod/db'",
        '`{{ mav://prod/db }}`',
        '"line\nmav://prod/db"',
        'MAV://prod/db',
      ];
      for (const value of wrong) {
        const { code, stdout, stderr } = await run(writeEnvFile(`A=1\nURL=${value}\n`), 'URL');
        t.same([code, stdout], [2, ''], value);
        t.match(stderr, /^mav: .*test\.env, line 2: a reference must be the whole value, .*mav inject$/m);
      }
      const whole = await run(writeEnvFile('URL="mav://prod/db" # and mav://other in a comment\n'), 'URL');
      t.same([whole.code, whole.stderr], [0, '']);
      t.match(whole.stdout, 'hunter2');
    },
  );

  t.test(`${name} --env-file > the name of another line > stays text, and one note says so`, async (t) => {
    const text = 'HOST=h\nURL=http://${HOST}/$HOST\nOTHER="$HOST"\nTHIRD=${HOST}\n';
    const { code, stdout, stderr } = await run(writeEnvFile(text), 'URL');
    t.equal(code, 0);
    t.match(stdout, 'http://${HOST}/$HOST');
    t.match(stderr, /^Note: \$HOST in URL \(.*test\.env, line 2\) and in 2 more variables stays text: .*\n$/);
    const literal = 'HOST=h\nA=\'${HOST}\'\nB="\\${HOST} $ELSE"\nC=`$HOST`\nD=pa$$word\n';
    const meant = await run(writeEnvFile(literal), 'A');
    t.same([meant.code, meant.stderr], [0, ''], 'what is in single quotes or escaped is meant so');
  });

  t.test(`${name} --env-file > an empty value with a comment > is empty`, async (t) => {
    const { stdout, code } = await run(
      writeEnvFile('EMPTY= # fill in\r\nREST="x\r\ny"\r\n'),
      'EMPTY',
      'REST',
    );
    t.equal(code, 0);
    if (name === 'env') t.strictSame(JSON.parse(stdout), { EMPTY: '', REST: 'x\ny' });
    else t.equal(stdout, '\nx\ny\n');
  });
}

t.test(
  'import > a comment and nothing else > empty; references and names stay text, with a note',
  async (t) => {
    const refused = await mav(sandbox, ['import', '-', '--env', 'e1'], { input: 'A=x\nKEY= # fill in\n' });
    t.equal(refused.code, 2);
    t.match(refused.stderr, 'line 2: KEY is empty');
    const input = 'HOST=h\rURL="${HOST}:\r5432"\rREF=mav://prod/db\r';
    const stored = await mav(sandbox, ['import', '-', '--env', 'e2'], { input });
    t.equal(stored.code, 0);
    t.match(
      stored.stderr,
      /^Note: \$HOST in URL \(standard input, line 2\) stays text: mav expands no variables\.$/m,
    );
    t.match(stored.stderr, /^Note: an import follows no references; .*: REF \(line 4\)$/m);
    t.equal((await mav(sandbox, ['get', 'URL', '-e', 'e2'])).stdout, '${HOST}:\n5432');
    t.equal((await mav(sandbox, ['import', '-', '--env', 'e3', '-q'], { input })).stderr, '');
  },
);
