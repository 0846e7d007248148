/** What `mav` writes as a dotenv file, and what the programs that read such files make of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parseDotenv } from '../src/cli/formats/dotenv.ts';
import { DOTENV_READERS, type Quotes } from '../src/cli/formats/dotenv-readers.ts';
import { formatDotenv, formatDotenvFile } from '../src/cli/formats/format-dotenv.ts';
import { type DotenvReader, type Found, findDotenvReaders } from './fixtures/dotenv-readers.ts';
import { createVaultWith } from './fixtures/transfer.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

/** Fixed, so that a test is the same whenever it runs. */
const SEED = 11;
const READERS = findDotenvReaders();
const MARKS = [...'\'"`$\\#=; \t\nnrx0!&(){}~*é:-5A_ſK@[', '\u2028', '\u00a0', '😀', '\u0001'];

const text = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...MARKS), minLength: 1, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...MARKS, '\r'), minLength: 1, maxLength: 12 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  )
  .filter((value) => !value.includes('\0') && value.isWellFormed());

/** All strings of up to three of the characters about which readers disagree. */
function everyShortText(): string[] {
  const characters = [...'\'"$\\`# \nnA{', '\r'];
  const longer = (texts: readonly string[]) => texts.flatMap((one) => characters.map((last) => one + last));
  const two = longer(characters);
  return [...characters, ...two, ...longer(two)];
}

/** The table's column for one of the programs. */
function findColumn({ name }: DotenvReader) {
  const column = DOTENV_READERS.find(
    (known) => known.name === name || known.name.split(' and ').includes(name),
  );
  if (column === undefined) throw new Error(`no column for ${name}`);
  return column;
}

interface Spelled {
  readonly value: string;
  readonly quotes: Quotes;
  readonly text: string;
}

/** Ways to write a value, good and bad: each character that may be escaped is, or is not. */
function spellInManyWays(value: string): Spelled[] {
  const escapes: readonly [string, string][] = [
    ['\\', '\\\\'],
    ['$', '\\$'],
    ['`', '\\`'],
    ['\n', '\\n'],
  ];
  const ways = Array.from({ length: 16 }, (_, way) => {
    const chosen = new Map([
      ['"', '\\"'],
      ['\r', '\\r'],
      ...escapes.filter((_escape, at) => way & (1 << at)),
    ] as const);
    return [...value].map((character) => chosen.get(character) ?? character).join('');
  });
  // The table says nothing of a quote that is not escaped.
  const double = [...new Set(ways)].filter((way) => /^(?:[^"\\]|\\[\s\S])*$/.test(way));
  return [
    ...(/['\r]/.test(value) ? [] : [{ value, quotes: 'single' as const, text: value }]),
    ...double.map((way) => ({ value, quotes: 'double' as const, text: way })),
  ];
}

/** What a reader makes of each by itself; null where it loses it, or what follows. */
function readEach(reader: DotenvReader, spelled: readonly Spelled[]): (string | null)[] {
  const files = spelled.map(({ quotes, text }) => {
    const quote = quotes === 'single' ? "'" : '"';
    return `V=${quote}${text}${quote}\nW='#next'\nX="#more"\n`;
  });
  return reader
    .read(files, ['V', 'W', 'X'])
    .map((found) => (found?.W === '#next' && found.X === '#more' ? (found.V ?? null) : null));
}

for (const reader of READERS) {
  // One that must be started for each file is asked about fewer.
  const count = reader.name.startsWith('systemd') ? 12 : 150;
  t.test(
    `dotenv readers > any spelling > ${reader.name} reads what the table says`,
    { skip: reader.missing },
    async (t) => {
      const column = findColumn(reader);
      const spelled = fc.sample(text, { numRuns: count, seed: SEED }).flatMap(spellInManyWays);
      const read = readEach(reader, spelled);
      const promised = spelled.filter(({ value, quotes, text }) => column[quotes](text) === value);
      t.ok(promised.length > count / 2, 'and it promises something');
      const wrong = spelled.filter(
        ({ value, quotes, text }, at) => column[quotes](text) === value && read[at] !== value,
      );
      t.strictSame(wrong, []);
    },
  );

  t.test(
    `formatDotenv > all values in one file > ${reader.name} reads those that it is not named for`,
    { skip: reader.missing },
    async (t) => {
      const { name: column } = findColumn(reader);
      const values = [...everyShortText(), ...fc.sample(text, { numRuns: 300, seed: SEED })];
      const all = values.map((value, index) => ({ name: `V${index}`, value }));
      const lines = formatDotenvFile(all).filter(({ differing }) => !differing.includes(column));
      const [found] = reader.read(
        [lines.map((line) => `${line.text}\n`).join('')],
        lines.map(({ name }) => name),
      );
      const wrong = lines.filter(({ name }) => found?.[name] !== values[Number(name.slice(1))]);
      t.strictSame(wrong, []);
      t.ok(lines.length > values.length / 3, `${lines.length} of ${values.length}`);
    },
  );
}

t.test('formatDotenv > any text > parseDotenv reads it back, and no shell runs it', async (t) => {
  const values = [...everyShortText(), ...fc.sample(text, { numRuns: 2_000, seed: SEED })];
  const lines = values.map((value, index) => formatDotenv(`V${index}`, value));
  const read = parseDotenv('.env', lines.map((line) => `${line.text}\n`).join(''));
  t.strictSame(
    read.map(({ value }) => value),
    values,
  );
  const harmful = lines.filter(({ differing }, at) => {
    const value = values[at] ?? '';
    return differing.includes('bash and dash') && !value.includes('\r') && !value.endsWith('\\');
  });
  t.strictSame(harmful, [], 'a shell gets another value for these only, and expands none');
});

t.test('formatDotenv > a value of each kind > the spelling, and who reads another value', async (t) => {
  const values = [
    '',
    'AZaz09_./+=:@%-',
    'two words',
    '#1',
    '$2b$10$abc',
    'pa$$word',
    '${X}',
    '$(id)',
    'C:\\dir\\',
    'DOMAIN\\user',
    '\\\\server\\share',
    '\\n',
    'say "x"',
    "it's",
    "it's $5",
    "it's `id`",
    'it\'s "x"',
    "it's C:\\dir\\",
    'line 1\nline 2',
    "it's\nline 2",
    'line 1\r\nline 2',
    ' spaces\t',
    'é😀',
    '!x',
  ];
  const described = values.map((value) => {
    const { text, differing } = formatDotenv('V', value);
    return [text, ...differing];
  });
  t.matchSnapshot(described);
});

t.test('docs/transfer.md > the table of who reads what > is what formatDotenv does', async (t) => {
  const document = readFileSync(new URL('../docs/transfer.md', import.meta.url), 'utf8');
  const section = document.slice(document.indexOf('### As dotenv'), document.indexOf('### For docker'));
  const [head = '', , ...rows] = section.split('\n').filter((line) => line.startsWith('|'));
  const cells = (line: string) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.replaceAll(/^`+ ?| ?`+$/g, ''));
  t.strictSame(
    cells(head).slice(2),
    DOTENV_READERS.map(({ name }) => name),
  );
  t.ok(rows.length > 10);
  for (const row of rows) {
    const [value = '', written = '', ...marks] = cells(row).map((cell) =>
      cell.replaceAll('␍', '\r').replaceAll('⏎', '\n'),
    );
    const { text, differing } = formatDotenv('V', value);
    t.equal(text, `V=${written}`);
    const expected = DOTENV_READERS.map(({ name }) => (differing.includes(name) ? '–' : '✓'));
    t.strictSame(marks, expected, row);
  }
});

const ODD = {
  PLAIN: 'AZaz09_./+=:@%-',
  DIR: 'C:\\dir\\',
  AFTER_DIR: 'next one',
  DOLLAR: "it's$5",
  QUOTED: 'it\'s "x"',
  HASH: '#a # b',
  PEM: '-----BEGIN KEY-----\nAbc+/=\n-----END KEY-----\n',
  REFERRING: '${PLAIN} $PLAIN `id`',
  UNICODE: ' é😀 ',
};

t.test(
  'export -o dotenv > values of all kinds > each reader gets what was stored, or is named',
  async (t) => {
    const sandbox = await createVaultWith(t, ODD);
    const path = join(sandbox.folder, 'out.env');
    const { code, stderr } = await mav(sandbox, ['export', '-o', 'dotenv', '--to', path]);
    t.equal(code, 0);
    t.matchSnapshot(stderr);
    const printed = await mav(sandbox, ['env', '-o', 'env']);
    t.equal(printed.code, 0);
    const file = printed.stdout;
    t.match(file, /^PLAIN=AZaz09_\.\/\+=:@%-$/m);
    const notes = stderr.split('\n').filter((line) => line.startsWith('Note:'));
    for (const reader of READERS.filter(({ missing }) => missing === false)) {
      const { name: column } = findColumn(reader);
      const named = notes.filter((note) => note.includes(column)).join();
      const [found] = reader.read([file], Object.keys(ODD)) as [Found];
      for (const [name, value] of Object.entries(ODD))
        if (!named.includes(name)) t.equal(found?.[name], value, `${reader.name}: ${name}`);
    }
    const quiet = await mav(sandbox, ['export', '-o', 'dotenv', '-q']);
    t.same([quiet.stdout, quiet.stderr], [file, '']);
    const other = await createVaultWith(t, {});
    t.equal((await mav(other, ['import', path])).code, 0);
    const read = JSON.parse((await mav(other, ['env', '-o', 'json'])).stdout);
    t.strictSame(read, Object.fromEntries(Object.entries(ODD).sort(([one], [two]) => (one < two ? -1 : 1))));
  },
);
