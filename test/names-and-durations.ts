/** Names and durations: which are taken, and what is wrong with the others. */
import t from 'tap';
import { parseDuration } from '../workers/bodies/durations.ts';
import { checkName } from '../workers/bodies/names.ts';

t.test('parseDuration > a table of durations > seconds, or what is wrong', async (t) => {
  const seconds: Record<string, number | null> = {
    '0': null,
    '24h': 86_400,
    '720h': 2_592_000,
    '30d': 2_592_000,
    '2w': 1_209_600,
    '1h30m': 5_400,
    '24h0m0s': 86_400,
    '1.5h': 5_400,
    '1.15m': 69,
    '1.9s': 1,
    '1w1d1h1m1s': 694_861,
    '0h5m': 300,
    '36525d': 3_155_760_000,
  };
  for (const [text, expected] of Object.entries(seconds))
    t.strictSame(parseDuration(text), { seconds: expected }, text);
  const wrong = {
    'must be a duration': [
      '',
      '24',
      '00',
      '-1h',
      '+1h',
      ' 1h',
      '1h ',
      '1H',
      '1m1h',
      '1h1h',
      '100ms',
      '1y',
      '.5h',
      'h',
    ],
    'must be at least one second': ['0s', '0h0m0s', '0.5s', '0.9s'],
    'must be at most 100 years': ['36525d1s', '5218w', `${'9'.repeat(60)}w`],
  };
  for (const [problem, texts] of Object.entries(wrong)) {
    for (const text of texts) t.match(parseDuration(text), { problem: new RegExp(`^${problem}`) }, text);
  }
  t.match(parseDuration(`${'0'.repeat(64)}1s`), { problem: /^must be a duration/ });
});

t.test('checkName > a table of names > accepted, or what is wrong', async (t) => {
  for (const name of [
    'a',
    '/',
    '..',
    'a b',
    'né',
    '😀',
    '__proto__',
    '%',
    'x'.repeat(512),
    'é'.repeat(256),
  ]) {
    for (const kind of ['name', 'field', 'environment'] as const)
      if (kind !== 'field' || name !== '__proto__') t.doesNotThrow(() => checkName(kind, name), name);
  }
  t.doesNotThrow(() => checkName('environment', ''));
  const wrong: [name: string, problem: string][] = [
    ['', 'must not be empty'],
    ['__proto__', 'must not be "__proto__"'],
    ['a\n', 'must not have control characters'],
    ['\u0000', 'must not have control characters'],
    ['\u007f', 'must not have control characters'],
    ['\u0085', 'must not have control characters'],
    ['\ud800', 'must not have an unpaired surrogate'],
    ['x'.repeat(513), 'must be at most 512 bytes long'],
    [`${'é'.repeat(256)}x`, 'must be at most 512 bytes long'],
  ];
  for (const [name, problem] of wrong) {
    t.throws(() => checkName('field', name), {
      name: 'BodyError',
      code: 'bad_request',
      message: `"field" ${problem}`,
    });
  }
});
