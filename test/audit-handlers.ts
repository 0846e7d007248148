/** What the routes of the audit log return of a log that the test has written: filters, pages, limits of tokens, reads. */
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Handler } from '../workers/calls.ts';
import { type Access, ALL_ACCESS, parseAccess } from '../workers/entries/access.ts';
import { toFailure } from '../workers/failures.ts';
import { ReplyBuffer } from '../workers/json/reply.ts';
import type { Call } from '../workers/messages.ts';
import type { ReadableVault } from '../workers/open-vault.ts';
import { listAudit, listReads, verifyAudit } from '../workers/operations/audit.ts';
import { at, WrittenLog } from './fixtures/audit-writer.ts';

const EMPTY = Buffer.alloc(0);
const CI = '0123456789abcdef';
const DB = { name: 'team/db', environment: 'prod', id: 1 };
const KEY = { name: 'key', environment: '', id: 2 };

function writeLog(t: Test): WrittenLog {
  const log = new WrittenLog(t);
  const one = log.open();
  one.add({ at: at(0), op: 'vault.unseal', by: 'session', result: 'ok' });
  one.add({ at: at(1), op: 'tokens.create', by: 'session', token: CI, token_name: 'ci', result: 'ok' });
  one.add({
    at: at(2),
    op: 'secrets.get',
    by: CI,
    pid: 7,
    program: 'curl',
    purpose: 'deploy',
    request: 'r-1',
    secrets: [{ ...DB, version: 3, value: true, fields: ['user', 'pin'], read: true }],
    result: 'ok',
  });
  one.add({
    at: at(3),
    op: 'secrets.export',
    by: CI,
    secrets: [
      { ...DB, version: 3, value: true, read: true },
      { ...KEY, version: 1, value: true, read: true },
    ],
    result: 'ok',
  });
  one.close(3);
  const two = log.open(2, 4);
  two.add({ at: at(4), op: 'secrets.list', by: 'session', environment: 'prod', result: 'ok' });
  two.add({
    at: at(5),
    op: 'secrets.put',
    by: 'session',
    secrets: [{ name: 'key', environment: '', version: 2, change: 'set' }],
    result: 'ok',
  });
  two.add({
    at: at(6),
    op: 'values.get',
    by: CI,
    secrets: [{ name: 'none', environment: 'prod' }],
    result: 'not_found',
  });
  two.add({
    at: at(7),
    op: 'values.get',
    by: CI,
    secrets: [{ ...DB, version: 4, value: true, read: true }],
    result: 'ok',
  });
  return log.save();
}

/** What a handler returns, with the cursor; or its failure. */
function run(handle: Handler<ReadableVault>, log: WrittenLog, params: Call['params'] = {}, limits?: object) {
  const access: Access = limits === undefined ? ALL_ACCESS : parseAccess(JSON.stringify([limits]));
  // Renamed since. It does not open, so nobody can say that it has another value now.
  const row = {
    id: 1,
    name: 'team/database',
    environment: 'prod',
    revision: 4,
    fieldCount: 0,
    wrappedDek: EMPTY,
  };
  const rows = new Map([[1, row]]);
  const vault = {
    access,
    audit: log,
    keyring: { find: () => null },
    countSteps: (_kind: string, _total: number, work: (step: () => void) => unknown) => work(() => {}),
    secrets: { findById: (id: number) => rows.get(id) ?? null },
  };
  const call = { params, body: null, ...(limits === undefined ? {} : { limits: JSON.stringify([limits]) }) };
  const reply = new ReplyBuffer();
  try {
    const outcome = handle(vault as unknown as ReadableVault, call as unknown as Call, reply);
    return {
      ...JSON.parse(Buffer.from(reply.take()).toString()),
      cursor: outcome?.cursor,
      warning: outcome?.warning,
    };
  } catch (error) {
    return toFailure(error);
  }
}

function list(log: WrittenLog, params: Call['params'] = {}, limits?: object): string[] {
  return run(listAudit, log, params, limits).entries.map(({ id }: { id: string }) => id);
}

const ALL = ['2.4', '2.3', '2.2', '2.1', '1.4', '1.3', '1.2', '1.1'];

t.test('audit.list > without parameters > the entries as they were written, newest first', async (t) => {
  const log = writeLog(t);
  t.strictSame(list(log), ALL);
  t.strictSame(list(log, { order: 'oldest' }), ALL.toReversed());
  t.strictSame(run(listAudit, log).entries[5], {
    ...{ id: '1.3', at: at(2), op: 'secrets.get', by: CI, pid: 7, program: 'curl', purpose: 'deploy' },
    ...{ request: 'r-1', result: 'ok' },
    secrets: [
      {
        id: 1,
        name: 'team/db',
        environment: 'prod',
        version: 3,
        read: true,
        value: true,
        fields: ['user', 'pin'],
      },
    ],
  });
  t.strictSame(run(listAudit, new WrittenLog(t)).entries, []);
});

t.test('audit.list > filters > only the entries, and of them the secrets, that are asked for', async (t) => {
  const log = writeLog(t);
  t.strictSame(list(log, { token: CI }), ['2.4', '2.3', '1.4', '1.3', '1.2'], 'by it, and about it');
  t.strictSame(list(log, { token: 'session' }), ['2.2', '2.1', '1.2', '1.1']);
  t.strictSame(list(log, { operation: 'secrets.get' }), ['1.3']);
  t.strictSame(list(log, { operation: 'secrets.' }), list(log, { operation: 'secrets.*' }));
  t.strictSame(list(log, { operation: 'secrets.' }), ['2.2', '2.1', '1.4', '1.3']);
  t.strictSame(list(log, { operation: 'secrets' }), []);
  t.strictSame(list(log, { name: 'team/*' }), ['2.4', '1.4', '1.3']);
  t.strictSame(list(log, { name: '*' }), ['2.3', '2.2', '1.4'], 'a star stays in its segment');
  t.strictSame(list(log, { environment: 'prod' }), ['2.4', '2.3', '2.1', '1.4', '1.3'], 'lists of it, too');
  t.strictSame(list(log, { environment: '' }), ['2.2', '1.4']);
  const [found] = run(listAudit, log, { name: 'key', token: CI }).entries;
  t.match(found, { id: '1.4', secrets: [{ name: 'key' }] });
  t.equal(found.secrets.length, 1);
  t.strictSame(list(log, { since: at(4), until: at(6) }), ['2.3', '2.2', '2.1']);
  t.strictSame(list(log, { since: '2026-11-30T13:00:00.005+01:00' }), ['2.4', '2.3', '2.2']);
});

t.test('audit.list > pages > lead to every entry once, in both orders and with a filter', async (t) => {
  const log = writeLog(t);
  for (const order of ['newest', 'oldest'] as const)
    for (const filter of [{}, { token: CI }, { operation: 'values.get' }])
      for (const limit of ['1', '2', '3', '5', '8', '1000']) {
        const found: string[] = [];
        let cursor: string | undefined;
        do {
          const page = run(listAudit, log, {
            order,
            limit,
            ...filter,
            ...(cursor === undefined ? {} : { cursor }),
          });
          found.push(...page.entries.map(({ id }: { id: string }) => id));
          t.ok(page.entries.length <= Number(limit));
          ({ cursor } = page);
        } while (cursor !== undefined);
        t.strictSame(found, list(log, { order, ...filter }), `${order} ${limit}`);
      }
});

t.test('audit.list > large entries > the page ends early and the next goes on', async (t) => {
  const log = new WrittenLog(t);
  const segment = log.open();
  for (let index = 0; index < 5; index++) segment.add({ at: at(index), purpose: 'x'.repeat(2_000_000) });
  log.save();
  const { entries, cursor } = run(listAudit, log, { limit: '1000' });
  t.equal(entries.length, 3);
  t.strictSame(list(log, { limit: '1000', cursor }), ['1.2', '1.1']);
});

t.test('audit.list, audit.reads > bad parameters > 400 that names the parameter', async (t) => {
  const log = writeLog(t);
  const bad: [string, string][] = [
    ...['', 'yesterday', '2026-02-30T00:00:00Z', 'never'].flatMap((text): [string, string][] => [
      ['since', text],
      ['until', text],
    ]),
    ...['0', '1001', '-1', 'x', '1.5'].map((text): [string, string] => ['limit', text]),
    ...['', 'x', 'bnVsbA', 'WzEsMiwzXQ'].map((text): [string, string] => ['cursor', text]),
    ...['', 'mvt_1', 'CI', '0123456789ABCDEF', `${CI}0`].map((text): [string, string] => ['token', text]),
    ...['', 'a b', 'secrets.get.x', '*x', 'Secrets'].map((text): [string, string] => ['operation', text]),
    ...['', 'up'].map((text): [string, string] => ['order', text]),
    ['name', ''],
    ['name', 'a\nb'],
    ['environment', 'x'.repeat(513)],
  ];
  for (const [member, text] of bad) {
    const failure = run(listAudit, log, { [member]: text });
    t.match(failure, { code: 'bad_request', member }, `${member}=${text}`);
    t.ok(text.length < 4 || !failure.message.includes(text), 'what was sent is not repeated');
  }
  t.match(run(listReads, log), { code: 'bad_request', member: 'token' });
});

t.test('audit.list > lines that are damaged > passed over and counted', async (t) => {
  const log = writeLog(t);
  const text = log.segments[1]?.text ?? '';
  writeFileSync(log.locate(2), text.replace('"op":"values.get"', '"op":values.get"'));
  const { entries, unreadable } = run(listAudit, log);
  t.equal(entries.length, 7);
  t.equal(unreadable, 1);
  t.equal(run(listAudit, log, { operation: 'values.get' }).entries.length, 1);
});

t.test('audit > a token with limits > sees what it may reach, and verifies nothing', async (t) => {
  const log = writeLog(t);
  t.strictSame(list(log, {}, { environments: ['prod'] }), ['2.4', '2.3', '1.4', '1.3']);
  t.strictSame(list(log, { environment: 'prod' }, { names: ['key'] }), [], 'not even lists');
  const [found] = run(listAudit, log, {}, { names: ['key'] }).entries.slice(1);
  t.match(found, { id: '1.4', secrets: [{ name: 'key' }] });
  t.equal(found.secrets.length, 1);
  const fields = run(listAudit, log, {}, { fields: ['pin'] }).entries;
  t.strictSame(
    fields.map(({ id }: { id: string }) => id),
    ['2.3', '2.2', '1.3'],
  );
  t.strictSame(fields[2].secrets[0], {
    id: 1,
    name: 'team/db',
    environment: 'prod',
    version: 3,
    read: true,
    fields: ['pin'],
  });
  t.match(run(verifyAudit, log, {}, { names: ['key'] }), { code: 'forbidden' });
  const names = (limits: object) =>
    run(listReads, log, { token: CI }, limits).secrets.map(
      ({ name, field = '@value' }: { name: string; field?: string }) => `${name} ${field}`,
    );
  t.strictSame(names({ names: ['key'] }), ['key @value']);
  t.strictSame(names({ fields: ['pin'] }), ['team/database pin']);
});

t.test('audit.reads > a token > each value that it read, by version', async (t) => {
  const log = writeLog(t);
  const { status, secrets } = run(listReads, log, { token: CI });
  t.equal(status, 'intact');
  t.match(secrets, [
    { name: 'key', environment: '', version: 1, count: 1, is_current: false },
    { name: 'team/database', version: 3, count: 2, first_read_at: at(2), last_read_at: at(3) },
    { name: 'team/database', version: 4, count: 1, is_current: true },
    { name: 'team/database', field: 'pin', version: 3, count: 1 },
    { name: 'team/database', field: 'user', version: 3, count: 1 },
  ]);
  t.equal(secrets.length, 5);
  t.strictSame(run(listReads, log, { token: 'session' }).secrets, []);
  writeFileSync(log.locate(2), log.segments[1]?.text.replace('"by":"session"', '"by":"sessiom"') ?? '');
  t.match(run(listReads, log, { token: CI }), {
    status: 'broken',
    warning: 'the audit log was changed: segment 2: changed',
  });
});

t.test('audit.verify > an intact log and a changed one > its problems, and a line for the log', async (t) => {
  const log = writeLog(t);
  t.match(run(verifyAudit, log), {
    status: 'intact',
    segments: 2,
    entries: 8,
    problems: [],
    problem_count: 0,
  });
  writeFileSync(log.locate(1), log.segments[0]?.text.replace('curl', 'wget') ?? '');
  const { status, problems, problem_count, warning } = run(verifyAudit, log);
  t.strictSame([status, problem_count], ['broken', 1]);
  t.strictSame(problems, [{ segment: 1, entry: '1.3', line: 7, problem: 'changed' }]);
  t.equal(warning, 'the audit log was changed: segment 1: changed');
});
