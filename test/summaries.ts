/** What the reporter of `npm test` makes of tap's output. */
import { spawnSync } from 'node:child_process';
import t from 'tap';

const REPORTER = new URL('../scripts/test-summary.ts', import.meta.url).href;

/** Returns the lines that the reporter prints for this output of tap. */
function summarize(...lines: readonly string[]): string[] {
  const script = `import Summary from ${JSON.stringify(REPORTER)};
    process.stdin.setEncoding('utf8').pipe(new Summary()).pipe(process.stdout);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    input: lines.join('\n'),
    encoding: 'utf8',
    env: { PATH: process.env.PATH, NO_COLOR: '1' },
  });
  return stdout.trimEnd().split('\n');
}

const PASSED = ['# Subtest: test/b.ts', '    ok 1 - b', '    1..1', 'ok 2 - test/b.ts # time=1ms'];

t.test('reporter > diagnostics that are cut off > the next files are reported all the same', async (t) => {
  const cutOff = ['    not ok 1 - a', '      ---', '      found: |', '        {"text":', '    1..1'];
  const lines = summarize('# Subtest: test/a.ts', ...cutOff, 'not ok 1 - test/a.ts # time=1ms', ...PASSED);
  t.match(lines[0], 'not ok test/a.ts: 0 passed, 1 failed');
  t.ok(lines.includes('    ok test/b.ts: 1 passed, 0 failed'), lines.join('\n'));
  t.equal(lines.at(-1), '1 passed, 1 failed');
});

t.test('reporter > whole diagnostics > are shown, and end where they end', async (t) => {
  const shown = [
    '        not ok 1 - a',
    '          ---',
    '          diff: |',
    '            +x',
    '          ...',
  ];
  const whole = ['    # Subtest: s', ...shown, '        1..1', '    not ok 1 - s', '    1..1'];
  const lines = summarize('# Subtest: test/a.ts', ...whole, 'not ok 1 - test/a.ts # time=1ms', ...PASSED);
  t.ok(lines.some((line) => line.includes('+x')));
  t.equal(lines.at(-1), '1 passed, 1 failed');
});
