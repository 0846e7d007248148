/** Reading and verifying a log of several segments, which threads write at the same time. */
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import type { AuditEntry } from '../workers/audit/reading/entry.ts';
import { readLog } from '../workers/audit/reading/read-log.ts';
import type { LoggedEntry, Reading } from '../workers/audit/reading/read-segment.ts';
import { verifyLog } from '../workers/audit/reading/verify-log.ts';
import { at, ms, WrittenLog } from './fixtures/audit-writer.ts';
import { sample } from './fixtures/sample.ts';

const ALL = { since: '', until: '9', onUnreadable: () => {} };

function read(log: WrittenLog, reading: Partial<Reading> = {}): LoggedEntry[] {
  return [...readLog(log.listSegments(), { order: 'newest', ...ALL, ...reading })];
}

function ids(found: readonly LoggedEntry[]): string[] {
  return found.map(({ segment, entry }) => `${segment}.${entry.seq}`);
}

/** Segments 1 and 2 are written side by side, 3 after 1; the entries' times are numbered through. */
function writeLog(t: Test): WrittenLog {
  const log = new WrittenLog(t);
  const [one, two] = [log.open(), log.open()];
  for (let time = 0; time < 60; time++) (time % 3 === 0 ? two : one).add({ at: at(time) });
  one.close(59);
  const three = log.open(3, 60);
  for (let time = 60; time < 100; time++)
    (time % 3 === 0 ? two : three).add({ at: at(time) }, { at: at(time) });
  two.anchor();
  return log.save();
}

/** The order of all entries, oldest first, found another way. */
function sortAll(log: WrittenLog): string[] {
  return log.segments
    .flatMap(({ id, text }) =>
      text
        .split('\n')
        .filter((line) => line.startsWith('{"at"'))
        .map((line) => ({ id, ...(JSON.parse(line) as AuditEntry) })),
    )
    .sort((a, b) => (a.at === b.at ? a.id - b.id || a.seq - b.seq : a.at < b.at ? -1 : 1))
    .map(({ id, seq }) => `${id}.${seq}`);
}

t.test(
  'readLog > segments that were written side by side > in the order of the times, from both ends',
  async (t) => {
    const log = writeLog(t);
    const all = sortAll(log);
    t.equal(all.length, 140);
    t.strictSame(ids(read(log, { order: 'oldest' })), all);
    t.strictSame(ids(read(log)), all.toReversed());
    t.strictSame(read(new WrittenLog(t)), []);
  },
);

t.test('readLog > from any entry on > those behind it, and no other', async (t) => {
  const log = writeLog(t);
  const all = read(log);
  for (const [index, { segment, entry }] of all.entries()) {
    const after = { at: entry.at, segment, seq: entry.seq };
    t.strictSame(ids(read(log, { after })), ids(all.slice(index + 1)));
    t.strictSame(ids(read(log, { after, order: 'oldest' })), ids(all.slice(0, index).toReversed()));
  }
});

t.test('readLog > the log grows while it is read page by page > each old entry once', async (t) => {
  const log = writeLog(t);
  const before = ids(read(log));
  const pages: string[] = [];
  let after: Reading['after'];
  for (let page = 0; page < 20; page++) {
    const found = read(log, after === undefined ? {} : { after }).slice(0, 7);
    pages.push(...ids(found));
    const last = found.at(-1);
    if (last !== undefined) after = { at: last.entry.at, segment: last.segment, seq: last.entry.seq };
    for (const { id } of log.segments.slice(1)) log.segments[id - 1]?.add({ at: at(200 + page) });
    log.open(undefined, 200 + page).add({ at: at(200 + page) });
    log.save();
  }
  t.strictSame(pages, before);
});

t.test('readLog > from any entry of a large file on > those behind it, and no other', async (t) => {
  const log = new WrittenLog(t);
  const segment = log.open();
  for (let time = 0; time < 3_000; time++) {
    // Many have one time, and some are longer than what is read at once.
    const purpose = 'x'.repeat(time % 500 === 7 ? 100_000 : time % 100);
    segment.add({ at: at(Math.floor(time / 50)), purpose }, { at: at(Math.floor(time / 50)) });
  }
  log.save();
  const all = read(log, { order: 'oldest' });
  t.equal(all.length, 6_000);
  for (const index of sample(t, [...all.keys()], 40)) {
    const entry = all[index]?.entry;
    const after = { at: entry?.at ?? '', segment: 1, seq: entry?.seq ?? 0 };
    t.strictSame(ids(read(log, { after, order: 'oldest' })), ids(all.slice(index + 1)));
    t.strictSame(ids(read(log, { after })), ids(all.slice(0, index).toReversed()));
    const between = { since: after.at, until: after.at };
    t.strictSame(
      ids(read(log, between)),
      ids(all.filter(({ entry: { at } }) => at === after.at).toReversed()),
    );
  }
});

t.test('readLog > since and until > the entries between, both included', async (t) => {
  const log = writeLog(t);
  for (const [since, until] of [
    [0, 0],
    [10, 20],
    [59, 60],
    [60, 61],
    [99, 500],
    [500, 600],
  ] as const)
    for (const order of ['newest', 'oldest'] as const) {
      const wanted = read(log, { order }).filter(
        ({ entry }) => entry.at >= at(since) && entry.at <= at(until),
      );
      t.strictSame(
        ids(read(log, { order, since: at(since), until: at(until) })),
        ids(wanted),
        `${since} to ${until}`,
      );
    }
});

t.test('readLog > only the newest are wanted > the older files are not opened', async (t) => {
  const log = writeLog(t);
  rmSync(log.locate(1));
  const iterator = readLog(log.listSegments(), { order: 'newest', ...ALL });
  const found = Array.from({ length: 60 }, () => iterator.next().value as LoggedEntry);
  iterator.return(undefined);
  t.ok(found.every(({ segment }) => segment !== 1));
  t.equal(read(log, { order: 'oldest' }).length, 100, 'a file that is missing is passed over');
});

t.test(
  'readLog > a batch that is being written, and lines that are no entries > left out and counted',
  async (t) => {
    const log = writeLog(t);
    const whole = ids(read(log));
    const next = log.segments[2]?.formatEntry({ at: at(300) }) ?? '';
    for (const part of [next.slice(0, 10), next, `${next}{"mac":"AAAA`]) {
      writeFileSync(log.locate(3), (log.segments[2]?.text ?? '') + part);
      t.strictSame(ids(read(log)), whole);
      t.strictSame(ids(read(log, { order: 'oldest' })), whole.toReversed());
    }
    let unreadable = 0;
    const text = log.segments[2]?.text ?? '';
    for (const [from, to] of [
      ['"seq":7,', '"seq":"7",'],
      ['"op":"secrets.get"}', '"op":"secrets.get"'],
      ['{"at"', 'at'],
    ] as const) {
      unreadable = 0;
      writeFileSync(log.locate(3), text.replace(from, to));
      t.equal(read(log, { onUnreadable: () => unreadable++ }).length, whole.length - 1);
      t.equal(unreadable, 1, to);
    }
  },
);

t.test('readLog > lines longer than the pieces that are read > whole', async (t) => {
  const log = new WrittenLog(t);
  const segment = log.open();
  const sizes = [10, 65_536, 65_400, 200_000, 1, 2_000_000, 131_072];
  for (const [index, size] of sizes.entries()) segment.add({ at: at(index), purpose: 'x'.repeat(size) });
  log.save();
  const lengths = (order: Reading['order']) => read(log, { order }).map(({ entry }) => entry.purpose?.length);
  t.strictSame(lengths('oldest'), sizes);
  t.strictSame(lengths('newest'), sizes.toReversed());
  let unreadable = 0;
  segment.add({ at: at(99), purpose: 'x'.repeat(6_000_000) }).add({ at: at(100) });
  log.save();
  t.equal(
    read(log, { onUnreadable: () => unreadable++ }).length,
    1,
    'a line above the limit ends the reading',
  );
  t.equal(unreadable, 1);
});

function problems(log: WrittenLog): string[] {
  return verifyLog(log, log.listSegments()).problems.map(
    ({ segment, problem, line }) => `${problem} ${segment}:${line}`,
  );
}

t.test('verifyLog > as it was written > intact', async (t) => {
  t.match(verifyLog(writeLog(t), []), { segments: 0, entries: 0 });
  const log = writeLog(t);
  t.strictSame(verifyLog(log, log.listSegments()), { segments: 3, entries: 140, problems: [] });
  const none = new WrittenLog(t);
  t.strictSame(problems(none), []);
});

t.test('verifyLog > files are exchanged, within the vault and between two > foreign', async (t) => {
  const [log, other] = [writeLog(t), writeLog(t)];
  renameSync(log.locate(1), `${log.locate(1)}.old`);
  renameSync(log.locate(2), log.locate(1));
  renameSync(`${log.locate(1)}.old`, log.locate(2));
  t.strictSame(problems(log), ['foreign 1:1', 'foreign 2:1']);
  log.save();
  copyFileSync(other.locate(3), log.locate(3));
  t.strictSame(problems(log), ['foreign 3:1']);
});

t.test(
  'verifyLog > batches are moved from one segment to another > found in the one that lost and the one that got',
  async (t) => {
    const log = writeLog(t);
    const [, two = '', three = ''] = log.segments.map(({ text }) => text);
    const [batch = ''] = two.match(/\{"at".*\n\{"mac.*\n/) ?? [];
    writeFileSync(log.locate(2), two.replace(batch, ''));
    writeFileSync(
      log.locate(3),
      three.replace(/(\{"at".*\n){2}\{"mac.*\n/, (first) => first + batch),
    );
    t.strictSame(problems(log), ['removed 2:3', 'duplicated 3:6']);
  },
);

t.test('verifyLog > files and rows that are missing, added or changed > named', async (t) => {
  const log = writeLog(t);
  rmSync(log.locate(2));
  t.strictSame(problems(log), ['missing_file 2:null']);
  symlinkSync(log.locate(1), log.locate(2));
  t.strictSame(problems(log), ['missing_file 2:null'], 'a link is not the file');
  rmSync(log.locate(2));
  log.save();
  copyFileSync(log.locate(1), log.locate(9));
  writeFileSync(`${log.directory}/notes.txt`, 'not of the log');
  t.strictSame(problems(log), ['unknown_file 9:null']);
  rmSync(log.locate(9));
  const [row] = log.segments.splice(1, 1);
  t.strictSame(problems(log), ['missing_segment 2:null', 'unknown_file 2:null']);
  if (row !== undefined) log.segments.splice(1, 0, { ...row, isGenuine: false } as typeof row);
  t.strictSame(problems(log), ['changed_row 2:null']);
});

t.test('verifyLog > a segment was opened since the rows were read > is not unknown', async (t) => {
  const log = writeLog(t);
  const now = new Date().toISOString();
  for (const text of ['', `{"audit":1,"vault":"${log.vaultId}","segment":4,"opened":"${now}"}\n`]) {
    writeFileSync(log.locate(4), text);
    t.strictSame(problems(log), []);
  }
  writeFileSync(log.locate(4), '{"audit":1}\n');
  t.strictSame(problems(log), ['unknown_file 4:null']);
});

t.test('verifyLog > old segments were dropped > intact if the log says so', async (t) => {
  const log = new WrittenLog(t);
  log.open(5, 0).add({ op: 'audit.dropped', through: 4, entries: 99 });
  log.open(6, 0).add({});
  log.save();
  t.strictSame(problems(log), []);
  log.segments.shift();
  rmSync(log.locate(5));
  t.strictSame(problems(log), ['missing_segment 1:null']);
  const forged = new WrittenLog(t);
  forged.open(5, 0).add({ op: 'audit.opened' });
  forged.save();
  const line = `{"at":"${at(1)}","seq":2,"op":"audit.dropped","through":4}\n`;
  appendFileSync(forged.locate(5), `${line}{"mac":"${'A'.repeat(43)}"}\n`);
  t.strictSame(problems(forged), ['changed 5:5', 'missing_segment 1:null'], 'only a genuine entry counts');
});

t.test('verifyLog > what it hands out > the bytes of each file', async (t) => {
  const log = writeLog(t);
  const visited: string[] = [];
  verifyLog(log, log.listSegments(), (segment, bytes) => {
    t.strictSame(bytes, readFileSync(segment.path));
    visited.push(`${segment.id}`);
  });
  t.strictSame(visited, ['1', '2', '3']);
  t.equal(ms(5) - ms(0), 5);
});
