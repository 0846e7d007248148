/** `mav audit` and its kin, against a server whose log the test has written. */
import { rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { describeProblem } from '../src/cli/audit/describe-problem.ts';
import type { AuditProblemKind } from '../src/client/types.ts';
import { at, WrittenLog } from './fixtures/audit-writer.ts';
import { skipWithout } from './fixtures/programs.ts';
import { serveLog } from './fixtures/served-log.ts';
import { CI, OLD_CI, TOKENS, writeLog } from './fixtures/small-log.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { mav } from './fixtures/vault.ts';

t.test(
  'audit > on a terminal > a table in plain words, by the names of the tokens',
  { skip: skipWithout('python3') },
  async (t) => {
    const sandbox = await serveLog(t, writeLog(t), TOKENS);
    const { code, shown } = await mavOnTerminal(t, sandbox, ['audit']).ended();
    t.equal(code, 0);
    t.strictSame(
      shown
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd().replaceAll(/ {2,}/g, ' | ')),
      [
        'WHEN | WHO | PROGRAM | WHAT | SECRET | VERSION | RESULT | PURPOSE',
        '2026-11-30 12:00:00 | ci | read field | none | not found',
        '2026-11-30 12:00:00 | ci | exported | team/db in prod (value, pin), and 1 more | ok | deploy',
        '2026-11-30 12:00:00 | ci | read | team/db in prod | 3 | ok',
        `2026-11-30 12:00:00 | owner | created token | ci (${CI}) | ok`,
        `2026-11-30 12:00:00 | owner | created token | ci (${OLD_CI}) | ok`,
        '2026-11-30 12:00:00 | owner | mav (42) | unsealed | ok',
      ],
    );
  },
);

t.test('audit > into a pipe, and as lines > JSON as the API returns it', async (t) => {
  const sandbox = await serveLog(t, writeLog(t), TOKENS);
  const { code, stdout, stderr } = await mav(sandbox, ['audit']);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  const entries = JSON.parse(stdout);
  t.equal(entries.length, 6);
  t.match(entries[5], { id: '1.1', op: 'vault.unseal', by: 'session', program: 'mav', result: 'ok' });
  const lines = (await mav(sandbox, ['audit', '-o', 'jsonl', '-n', '2'])).stdout;
  t.strictSame(
    lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    entries.slice(0, 2),
  );
});

t.test('audit > nothing, and nothing that matches > said', async (t) => {
  const none = await serveLog(t, new WrittenLog(t));
  t.match(await mav(none, ['audit', '-o', 'table']), {
    code: 0,
    stdout: '',
    stderr: 'Nothing of this is in the log.\n',
  });
  t.match(await mav(none, ['audit']), { code: 0, stdout: '[]\n', stderr: '' });
  t.match(await mav(none, ['audit', '-o', 'jsonl']), { code: 0, stdout: '', stderr: '' });
  t.match(await mav(none, ['audit', 'verify']), {
    code: 0,
    stdout: 'The audit log is intact: 0 entries in 0 files.\n',
  });
  t.match(await mav(none, ['audit', 'export', '-']), {
    code: 0,
    stdout: '',
    stderr: 'Exported 0 entries.\n',
  });
  t.match(await mav(none, ['audit', '--leaked', CI]), { code: 0, stdout: '[]\n', stderr: '' });
});

t.test('audit > its options > choose entries', async (t) => {
  const sandbox = await serveLog(t, writeLog(t), TOKENS);
  const ids = async (...args: string[]) =>
    JSON.parse((await mav(sandbox, ['audit', ...args])).stdout).map(({ id }: { id: string }) => id);
  t.strictSame(await ids('--operation', 'tokens.*'), ['1.3', '1.2']);
  t.strictSame(await ids('--name', 'team/*', '--env', 'prod'), ['2.1', '1.4']);
  t.strictSame(await ids('--token', OLD_CI), ['1.4', '1.2']);
  t.strictSame(await ids('--token', 'owner'), ['1.3', '1.2', '1.1']);
  t.strictSame(await ids('--since', '2026-11-30T12:00:00.003Z'), ['2.2', '2.1']);
  t.strictSame(await ids('--until', '2026-11-30T12:00:00.000Z'), ['1.1']);
  t.strictSame(await ids('--since', '2026-11-30', '--until', '2026-11-30'), [
    '2.2',
    '2.1',
    '1.4',
    '1.3',
    '1.2',
    '1.1',
  ]);
  t.strictSame(await ids('--since', '2026-12-01'), []);
  t.strictSame(
    await ids('--until', '1w'),
    Date.now() - 7 * 86_400_000 > Date.parse(at(0)) ? ['2.2', '2.1', '1.4', '1.3', '1.2', '1.1'] : [],
  );
  const limited = await mav(sandbox, ['audit', '-o', 'table', '--limit', '2']);
  t.equal(limited.stdout.split('\n').length, 4);
  t.match(limited.stderr, /^These are the newest 2; --limit shows more/);
});

t.test('audit > what cannot be done > exit code 2 or 3, and what to do instead', async (t) => {
  const sandbox = await serveLog(t, writeLog(t), TOKENS);
  for (const [args, code, said] of [
    [['--since', 'soon'], 2, /--since takes how long ago/],
    [['--since', '2026-02-30'], 2, /--since takes how long ago/],
    [['--operation', 'a b'], 2, /^mav: --operation must be an operation/],
    [['--name', ''], 2, /--name must not be empty/],
    [['--limit', '0'], 2, /--limit must be a whole number from 1/],
    [['--token', 'nobody'], 3, /no token is or was called nobody/],
    [['--token', 'ci'], 2, new RegExp(`several tokens .*${CI}, ${OLD_CI} \\(revoked\\)`)],
    [['--token', `mvt_${'0'.repeat(64)}`], 2, /this is a token, and its name or ID is wanted/],
    [['--leaked', 'ci', '--since', '1d'], 2, /--since does not go with --leaked/],
    [['-f', '--until', '1d'], 2, /--until does not go with --follow/],
    [['verfy'], 2, /mav audit verify and mav audit export are commands/],
  ] as const) {
    const failed = await mav(sandbox, ['audit', ...args]);
    t.equal(failed.code, code, args.join(' '));
    t.match(failed.stderr, said);
    t.notMatch(failed.stderr, /mvt_0/);
  }
});

t.test(
  'audit > texts that would move the cursor or turn the line > escaped',
  { skip: skipWithout('python3') },
  async (t) => {
    const log = new WrittenLog(t);
    const evil = 'a\u001b[2J\u202eb\nc';
    log.open().add({
      op: 'values.get',
      by: CI,
      program: evil,
      pid: 1,
      purpose: evil,
      secrets: [{ name: evil, environment: evil }],
      result: 'ok',
    });
    const sandbox = await serveLog(t, log.save(), [{ id: CI, name: evil }]);
    for (const args of [
      ['audit'],
      ['audit', '-o', 'json'],
      ['audit', '-o', 'jsonl'],
      ['audit', 'export', '-'],
    ]) {
      const { raw } = await mavOnTerminal(t, sandbox, args).ended();
      t.notOk(raw.includes('\u001b[2J') || raw.includes('\u202e'), args.join(' '));
      t.match(raw, '202e');
    }
  },
);

t.test(
  'audit --leaked > by a name that several tokens had > what any of them has read, to rotate',
  async (t) => {
    const sandbox = await serveLog(t, writeLog(t), TOKENS);
    const { code, stdout, stderr } = await mav(sandbox, ['audit', '--leaked', 'ci', '-o', 'table']);
    t.equal(code, 0);
    t.strictSame(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.replaceAll(/ {2,}/g, ' | ')),
      [
        'SECRET | ENVIRONMENT | FIELD | VERSION | LAST READ | TIMES | STILL STORED',
        'key | (default) | 1 | 2026-11-30 12:00 | 1 | no',
        'team/db | prod | 3 | 2026-11-30 12:00 | 2 | no',
        'team/db | prod | pin | 3 | 2026-11-30 12:00 | 1 | no',
      ],
    );
    t.equal(stderr, `Revoke the token: mav token revoke ${CI}.\n`);
    const revoked = await mav(sandbox, ['audit', '--leaked', OLD_CI, '-o', 'table']);
    t.match(
      revoked.stderr,
      /^Nothing is left to do: the token is revoked, and nothing that it read is still stored/,
    );
    t.match(JSON.parse((await mav(sandbox, ['audit', '--leaked', OLD_CI])).stdout), [
      { name: 'team/db', count: 1, is_current: false },
    ]);
  },
);

t.test('audit verify > a log that was changed > a line for each problem, and exit code 1', async (t) => {
  const log = writeLog(t);
  const sandbox = await serveLog(t, log, TOKENS);
  t.match(await mav(sandbox, ['audit', 'verify']), {
    code: 0,
    stdout: 'The audit log is intact: 6 entries in 2 files.\n',
  });
  rmSync(log.locate(1));
  writeFileSync(log.locate(2), log.segments[1]?.text.replace('deploy', 'attack') ?? '');
  const { code, stdout, stderr } = await mav(sandbox, ['audit', 'verify']);
  t.equal(code, 1);
  t.match(
    stdout,
    /^audit\/00000001\.jsonl: missing file: .*\naudit\/00000002\.jsonl, line 3, entry 2\.1: changed: .*\n$/,
  );
  t.equal(stderr, 'mav: the audit log has 2 problems\n');
  const json = await mav(sandbox, ['audit', 'verify', '-o', 'json']);
  t.match(JSON.parse(json.stdout), { status: 'broken', problem_count: 2 });
  t.equal(json.code, 1);
  t.match(await mav(sandbox, ['audit', '--leaked', CI]), {
    code: 1,
    stderr: /more may have been read; see mav audit verify/,
  });
});

t.test('describeProblem > every kind > what it means and what to do', async (t) => {
  const place = { segment: 5, entry: '5.7', line: 13 };
  const kinds: AuditProblemKind[] = [
    'changed',
    'removed',
    'reordered',
    'duplicated',
    'truncated',
    'added',
    'not_anchored',
    'foreign',
    'missing_file',
    'missing_segment',
    'unknown_file',
    'changed_row',
  ];
  const said = kinds.map((problem) => describeProblem({ ...place, problem }));
  t.equal(new Set(said).size, kinds.length);
  for (const line of said) t.match(line, /^audit\/00000005\.jsonl, line 13, entry 5\.7: [a-z ]+: .*[;,] \w+/);
  t.match(
    describeProblem({ ...place, last_line: 14, problem: 'changed' }),
    'lines 13 to 14, from entry 5.7: changed',
  );
});
