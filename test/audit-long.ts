/** `mav audit` of a whole log, and of one that grows. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { at, WrittenLog } from './fixtures/audit-writer.ts';
import { skipWithout } from './fixtures/programs.ts';
import { serveLog } from './fixtures/served-log.ts';
import { CI, DB, OLD_CI, TOKENS, writeLog } from './fixtures/small-log.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';
import { mav, mavAlone } from './fixtures/vault.ts';

t.test('audit export > into a file > all entries, oldest first, for the owner alone', async (t) => {
  const log = writeLog(t);
  const sandbox = await serveLog(t, log, TOKENS);
  const file = join(sandbox.folder, 'audit.jsonl');
  t.match(await mav(sandbox, ['audit', 'export', file]), {
    code: 0,
    stdout: '',
    stderr: 'Exported 6 entries.\n',
  });
  t.equal(statSync(file).mode & 0o777, 0o600);
  const ids = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  t.strictSame(ids, ['1.1', '1.2', '1.3', '1.4', '2.1', '2.2']);
  t.match(await mav(sandbox, ['audit', 'export', file]), {
    code: 2,
    stderr: /is there already; --force replaces it/,
  });
  t.match(await mav(sandbox, ['audit', 'export', '--force', file]), { code: 0 });
  t.equal((await mav(sandbox, ['audit', 'export', '-'])).stdout, readFileSync(file, 'utf8'));
  writeFileSync(log.locate(2), log.segments[1]?.text.replace('"by":', 'by:') ?? '');
  t.match(await mav(sandbox, ['audit', 'export', '--force', file]), {
    code: 1,
    stderr: /1 lines of the log cannot be read and are left out/,
  });
});

t.test('audit > 100,000 entries in several files > all of them, and the newest at once', async (t) => {
  const log = new WrittenLog(t);
  for (let segment = 0; segment < 4; segment++) {
    const written = log.open(undefined, segment * 25_000);
    for (let batch = 0; batch < 250; batch++)
      written.add(
        ...Array.from({ length: 100 }, (_, index) => ({
          at: at(segment * 25_000 + batch * 100 + index),
          by: CI,
          secrets: [{ ...DB, value: true as const }],
          result: 'ok',
        })),
      );
    written.close(segment * 25_000 + 24_999);
  }
  const sandbox = await serveLog(t, log.save(), TOKENS);
  const { code, stdout } = await mavAlone(sandbox, ['audit', '-n', '100000', '-o', 'jsonl']);
  t.equal(code, 0);
  const lines = stdout.trimEnd().split('\n');
  t.equal(lines.length, 100_000);
  t.match([lines[0], lines[99_999]], [/"id":"4\.25000"/, /"id":"1\.1"/]);
  const table = await mavAlone(sandbox, ['audit', '-n', '100000', '-o', 'table']);
  t.equal(table.stdout.split('\n').length, 100_002);
  t.match(await mavAlone(sandbox, ['audit', 'export', '-']), {
    code: 0,
    stderr: 'Exported 100000 entries.\n',
  });
  t.match(await mavAlone(sandbox, ['audit', 'verify']), {
    stdout: 'The audit log is intact: 100000 entries in 4 files.\n',
  });
  t.match(JSON.parse((await mavAlone(sandbox, ['audit', '--leaked', 'ci'])).stdout), [{ count: 100_000 }]);
});

t.test(
  'audit -f > the log grows > each entry once, until Ctrl-C',
  { skip: skipWithout('python3') },
  async (t) => {
    const log = writeLog(t);
    const sandbox = await serveLog(t, log, TOKENS);
    const terminal = mavOnTerminal(t, sandbox, ['audit', '-f', '-n', '1']);
    await terminal.see('not found');
    log.segments[1]?.add({
      at: at(5),
      op: 'secrets.put',
      by: 'session',
      secrets: [{ name: 'first', environment: '' }],
      result: 'ok',
    });
    log.save();
    await terminal.see('first');
    log.open(3, 4).add({
      at: at(4),
      op: 'secrets.put',
      by: OLD_CI,
      secrets: [{ name: 'late', environment: '' }],
      result: 'ok',
    });
    log.save();
    await terminal.see('late');
    log.segments[1]?.add({ at: at(9), op: 'vault.seal', by: 'session', result: 'ok' });
    log.save();
    await terminal.see('sealed');
    terminal.type(KEYS.ctrlC);
    const { code, shown } = await terminal.ended();
    t.equal(code, 130);
    t.strictSame(
      shown
        .split('\n')
        .filter((line) => line.startsWith('2026'))
        .map((line) => line.slice(21).trim().replaceAll(/ {2,}/g, ' | ')),
      [
        'ci | read field | none | not found',
        'owner | set | first | ok',
        'ci | set | late | ok',
        'owner | sealed | ok',
      ],
    );
  },
);
