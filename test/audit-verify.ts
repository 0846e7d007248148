/** The chain of one segment: whatever is done to its bytes is found, and its place named. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { verifySegment } from '../workers/audit/reading/verify-segment.ts';
import { WrittenSegment } from './fixtures/audit-writer.ts';
import { hmacSha512256 } from './fixtures/reference.ts';
import { sample } from './fixtures/sample.ts';

const VAULT = 'ab'.repeat(16);
const DB = { name: 'db', environment: 'prod', version: 3 };

/** Six batches behind the head: entries 1, 2 to 4, 5, 6, 7 and 8, 9. */
function write(id = 7, vault = VAULT): WrittenSegment {
  const segment = new WrittenSegment(vault, id);
  segment.add({ op: 'audit.opened' }).add({ secrets: [DB] }, { by: 'session' }, { result: 'ok' });
  return segment.add({ pid: 1 }).add({}).add({ program: 'curl' }, { purpose: 'ß' }).add({ uid: 0 }).anchor();
}

function verify(segment: WrittenSegment, text: string | Buffer = segment.text) {
  return verifySegment(Buffer.from(text), VAULT, segment, segment.key);
}

/** The lines of each batch, with its MAC; the head first. */
function splitBatches({ text }: WrittenSegment): string[] {
  return text.match(/(?:\{"a.*\n)+\{"mac.*\n/g) ?? [];
}

function found(segment: WrittenSegment, text: string | Buffer): string[] {
  return verify(segment, text).problems.map(
    ({ problem, line, last_line, entry }) =>
      `${problem} ${line}${last_line === undefined ? '' : `-${last_line}`} ${entry}`,
  );
}

t.test('verifySegment > as it was written > intact, with its entries counted', async (t) => {
  const segment = write();
  t.match(verify(segment), { entries: 9, problems: [], own: [{ op: 'audit.opened' }] });
  segment.close(1000);
  t.match(verify(segment), { entries: 9, problems: [] });
  t.strictSame(verify(new WrittenSegment(VAULT, 1)).problems, []);
});

t.test(
  'verifySegment > a batch behind the anchor, whole or cut off > intact while the segment is open',
  async (t) => {
    const segment = write().add({});
    t.match(verify(segment), { entries: 10, problems: [] });
    for (let cut = 1; cut < 100; cut++)
      t.strictSame(verify(segment, segment.text.slice(0, -cut)).problems, [], `${cut} bytes less`);
  },
);

t.test('verifySegment > any bit is changed > found within its batch', async (t) => {
  const segment = write().close(1000);
  const bytes = Buffer.from(segment.text);
  const ends = splitBatches(segment).map((_, index, all) =>
    Buffer.byteLength(all.slice(0, index + 1).join('')),
  );
  for (const bit of sample(t, [...Array(bytes.length * 8).keys()], 300)) {
    const place = bit >> 3;
    const changed = Buffer.from(bytes);
    changed[place] = (changed[place] ?? 0) ^ (1 << (bit & 7));
    const { problems } = verify(segment, changed);
    const batch = ends.findIndex((end) => place < end);
    const firstLine = bytes
      .subarray(0, ends[batch - 1] ?? 0)
      .toString()
      .split('\n').length;
    const lastLine = bytes.subarray(0, ends[batch]).toString().split('\n').length - 1;
    const [{ line = null } = {}] = problems;
    t.ok(
      line !== null && line >= firstLine && line <= lastLine + 1,
      `byte ${place}: line ${line} of ${firstLine}-${lastLine}`,
    );
  }
});

t.test('verifySegment > a value in an entry, or a MAC, is changed > its lines are named', async (t) => {
  const segment = write();
  const change = (from: string, to: string) => found(segment, segment.text.replace(from, to));
  t.strictSame(change('"curl"', '"bash"'), ['changed 13-14 7.7']);
  t.strictSame(change('"pid":1', '"pid":2'), ['changed 9 7.5']);
  t.strictSame(change('"segment":7', '"segment":8'), ['changed 1 null']);
  const macs = segment.text.match(/"mac":"./g) ?? [];
  t.equal(macs.length, 7);
  const [, , third = ''] = segment.text.match(/.*"mac".*\n/g) ?? [];
  t.strictSame(change(third, third.replace(/.....$/m, 'AAA"}')), ['changed 8 7.2']);
});

t.test('verifySegment > somebody has its key and writes every MAC again > its end is another', async (t) => {
  const segment = write();
  let mac: Buffer = Buffer.alloc(0);
  const forged = splitBatches(segment).map((batch) => {
    const lines = batch.replace(/\{"mac.*\n$/, '').replace('"curl"', '"bash"');
    mac = hmacSha512256(Buffer.from(segment.key), Buffer.concat([mac, Buffer.from(lines)]));
    return `${lines}{"mac":"${mac.toString('base64url')}"}\n`;
  });
  t.equal(forged.join('').length, segment.text.length);
  t.strictSame(found(segment.close(1000), forged.join('')).length, 1);
});

t.test('verifySegment > a text of the same MAC > found', async (t) => {
  const segment = write();
  const [last = ''] = segment.text.match(/.*"mac".*\n$/) ?? [];
  const end = last.slice(-4, -3);
  const other = Buffer.from(String.fromCharCode(end.charCodeAt(0) + 1)).toString();
  t.ok(found(segment, segment.text.replace(last, `${last.slice(0, -4)}${other}"}\n`)).length > 0);
});

t.test('verifySegment > a batch is removed > the missing entry is named', async (t) => {
  const segment = write();
  const batches = splitBatches(segment);
  const without = (index: number) => batches.filter((_, at) => at !== index).join('');
  t.strictSame(found(segment, without(1)), ['removed 3 7.1']);
  t.strictSame(found(segment, without(2)), ['removed 5 7.2']);
  t.strictSame(found(segment, without(5)), ['removed 13 7.7']);
  t.strictSame(found(segment, without(6)), ['truncated 16 7.9']);
  t.strictSame(found(segment, without(0)), ['changed 1 7.1']);
  t.strictSame(found(segment, [...batches.slice(0, 2), ...batches.slice(4)].join('')), ['removed 5 7.2']);
});

t.test('verifySegment > batches are exchanged, repeated or made up > found', async (t) => {
  const segment = write();
  const [a = '', b = '', c = '', d = '', e = '', f = '', g = ''] = splitBatches(segment);
  t.strictSame(found(segment, a + b + d + c + e + f + g), ['reordered 5 7.5', 'reordered 11 7.6']);
  t.strictSame(found(segment, a + b + c + d + f + e + g), ['reordered 11-12 7.7', 'reordered 16 7.9']);
  t.strictSame(found(segment, a + b + c + c + d + e + f + g), ['duplicated 9-11 7.2']);
  t.strictSame(found(segment, a + b + c + d + e + f + g + b), ['duplicated 18 7.1']);
  t.strictSame(found(segment, a + b + c + d + e + f + g + g), ['duplicated 18 7.9']);
  const forged = write(7, VAULT);
  t.strictSame(
    found(segment, segment.text + (splitBatches(forged)[6] ?? '').replaceAll('"seq":9', '"seq":10')),
    ['changed 18 7.10'],
  );
});

t.test('verifySegment > entries within a batch are removed, exchanged or repeated > found', async (t) => {
  const segment = write();
  const [, , , , two = '', three = '', four = ''] = segment.text.match(/.*\n/g) ?? [];
  const put = (...lines: string[]) =>
    found(segment, segment.text.replace(two + three + four, lines.join('')));
  t.strictSame(put(two, four), ['removed 5 7.3']);
  t.strictSame(put(three, four), ['removed 5 7.2']);
  t.strictSame(put(two, three), ['changed 5-6 7.2'], 'the next batch says which one is missing');
  t.strictSame(put(two, four, three), ['reordered 5-7 7.4']);
  t.strictSame(put(two, two, three, four), ['duplicated 5-8 7.2']);
  t.strictSame(put(two, three, four, 'x\n'), ['changed 5-8 7.5']);
});

t.test('verifySegment > the end is cut off > found down to the anchor', async (t) => {
  for (const close of [false, true]) {
    const segment = write();
    if (close) segment.close(1000);
    for (const cut of sample(t, [...Array(segment.text.length).keys()].slice(1), 100)) {
      const { problems } = verify(segment, Buffer.from(segment.text).subarray(0, -cut));
      t.equal(problems.at(-1)?.problem, 'truncated', `${cut} bytes less`);
    }
  }
});

t.test('verifySegment > something follows the end of a closed segment > found', async (t) => {
  const segment = write().close(1000);
  for (const added of ['x', '\n', '{"at":', splitBatches(segment)[2] ?? '', segment.text])
    t.strictSame(found(segment, segment.text + added), ['added 18 null']);
  segment.add({});
  t.strictSame(found(segment, segment.text), ['added 18 null'], 'by somebody with the key');
});

t.test('verifySegment > the file of another segment, vault or key > foreign', async (t) => {
  const segment = write();
  t.strictSame(found(segment, write(8).text), ['foreign 1 null']);
  t.strictSame(found(segment, write(7, 'cd'.repeat(16)).text), ['foreign 1 null']);
  t.match(found(segment, write().text), [/^changed 1-17 null$/], 'of the same vault and number');
  const other = new WrittenSegment('cd'.repeat(16), 7);
  t.strictSame(
    verifySegment(Buffer.from(other.text), VAULT, other, other.key).problems.map(({ problem }) => problem),
    ['foreign'],
  );
});

t.test('verifySegment > the row names another end > not anchored', async (t) => {
  const segment = write();
  segment.anchoredMac = randomBytes(32);
  t.strictSame(found(segment, segment.text), ['not_anchored null null']);
  const longer = write();
  longer.anchoredBytes += 1;
  t.strictSame(found(longer, longer.text), ['not_anchored null null']);
});

t.test('verifySegment > no anchor yet > intact while it is open, torn or not', async (t) => {
  const segment = write();
  segment.anchoredBytes = 0;
  segment.anchoredMac = Buffer.alloc(0);
  for (let cut = 0; cut < segment.text.length; cut++)
    t.strictSame(found(segment, segment.text.slice(0, segment.text.length - cut)), [], `${cut} bytes less`);
  t.strictSame(found(segment, segment.text.replace('"pid":1', '"pid":2')), ['changed 9 7.5']);
  segment.closedAt = 1;
  t.strictSame(found(segment, ''), []);
  t.strictSame(found(segment, segment.text), ['added 1 null']);
});

t.test('verifySegment > bytes that are no log > a problem, never an error', async (t) => {
  const segment = write();
  for (const bytes of [
    '',
    '\n',
    '\n\n\n',
    '{}',
    '{}\n',
    '\0'.repeat(99),
    `{"mac":"${'A'.repeat(43)}"}\n`.repeat(3),
  ])
    t.not(verify(segment, bytes).problems.length, 0);
  for (let round = 0; round < 20; round++) t.ok(verify(segment, randomBytes(500)).problems.length > 0);
});
