/** What a scan is made of, by itself: many byte sequences found at once, and what a value looks like in a file. */
import fc from 'fast-check';
import t from 'tap';
import { listForms, MAX_VALUE_SIZE, MIN_VALUE_SIZE } from '../src/cli/scan/value-forms.ts';
import { type Found, ValueMatcher } from '../src/cli/scan/value-matcher.ts';

/** Few letters, so that sequences begin with each other and overlap. */
const letters = (minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...Buffer.from('ab\n\xff', 'latin1')), { minLength, maxLength }).map(Buffer.from);

/** Feeds the text in pieces of these sizes, the last one as often as it takes. */
function search(patterns: readonly Buffer[], text: Buffer, sizes: readonly number[]): Found<number>[] {
  const found: Found<number>[] = [];
  const matcher = new ValueMatcher(patterns.map((bytes, owner) => ({ bytes, owner })));
  const run = matcher.start((one) => found.push(one));
  for (let at = 0, index = 0; at < text.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? text.length;
    // As a caller does that reads each piece into the same memory.
    const piece = Buffer.from(text.subarray(at, at + size));
    run.add(piece);
    piece.fill(0);
    at += size;
  }
  run.end();
  return sort(found);
}

/** The same, slowly. */
function searchSimply(patterns: readonly Buffer[], text: Buffer): Found<number>[] {
  const found: Found<number>[] = [];
  for (const [owner, bytes] of patterns.entries()) {
    for (let at = text.indexOf(bytes); at >= 0; at = text.indexOf(bytes, at + 1))
      found.push({ owner, line: text.subarray(0, at).toString('latin1').split('\n').length });
  }
  return sort(found);
}

function sort(found: Found<number>[]): Found<number>[] {
  return found.sort((one, other) => one.owner - other.owner || one.line - other.line);
}

t.test('ValueMatcher > any sequences in any text, in any pieces > found as one by one', async (t) => {
  const property = fc.property(
    fc.array(letters(4, 12), { maxLength: 20 }),
    letters(0, 200),
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
    (patterns, text, sizes) => {
      t.strictSame(search(patterns, text, sizes), searchSimply(patterns, text));
    },
  );
  fc.assert(property, { numRuns: 500 });
});

t.test('ValueMatcher > ten thousand sequences with one beginning > each found', async (t) => {
  const patterns = Array.from({ length: 10_000 }, (_, index) => Buffer.from(`postgres://user-${index};`));
  const text = Buffer.from(patterns.map((bytes) => `${bytes}`).join('\n'));
  t.strictSame(
    search(patterns, text, [4_096]),
    patterns.map((_, owner) => ({ owner, line: owner + 1 })),
  );
});

t.test('ValueMatcher > nothing to look for, or nothing to look through > nothing', async (t) => {
  t.strictSame(search([], Buffer.from('text'), [1]), []);
  t.strictSame(search([Buffer.from('text')], Buffer.alloc(0), [1]), []);
  t.strictSame(search([Buffer.from('text')], Buffer.from('tex'), [1]), []);
  t.throws(() => search([Buffer.from('abc')], Buffer.from('abc'), [1]), RangeError);
});

/** Whether a text would be found that has the value in it. */
function isFound(value: Buffer, text: string | Buffer): boolean {
  const forms = listForms(value);
  return forms !== null && search(forms, Buffer.from(text), [1_000]).length > 0;
}

const VALUES = ['hunter2+/?', 'pässword "1"\\', 'multi\nline', 'a b&c=d/e', '\u{1f511}\u{1f511}'].map(
  (text) => Buffer.from(text),
);
const BINARY = Buffer.from('ff00fe80c3280a', 'hex');

t.test('listForms > a value in its encodings, with anything around it > found', async (t) => {
  for (const value of [...VALUES, BINARY]) {
    for (const before of ['', 'x', 'xy', 'user:']) {
      const whole = Buffer.concat([Buffer.from(before), value, Buffer.from('zz\n')]);
      const what = `${before} ${value.toString('hex')}`;
      t.ok(isFound(value, whole), what);
      t.ok(isFound(value, `= ${whole.toString('base64')}`), `${what}, base64`);
      t.ok(isFound(value, `= ${whole.toString('base64url')}`), `${what}, base64url`);
    }
  }
  for (const value of VALUES.map(String)) {
    const json = JSON.stringify({ value });
    const ascii = json.replace(
      /[^\0-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const places = [json, ascii, encodeURIComponent(value), new URLSearchParams({ value }).toString()];
    for (const place of places) t.ok(isFound(Buffer.from(value), place), place);
  }
});

t.test('listForms > a newline at the end, or more than is looked for > found without', async (t) => {
  t.ok(isFound(Buffer.from('from-a-file\r\n'), 'x=from-a-file;'));
  const long = Buffer.from('0123456789abcde\u00fc'.repeat(1_000));
  t.ok(isFound(long, long.subarray(0, MAX_VALUE_SIZE)));
  t.ok(isFound(long, JSON.stringify(long.toString())));
  t.notOk(isFound(long, long.subarray(0, MAX_VALUE_SIZE - 20)));
});

t.test('listForms > a value that says too little > null', async (t) => {
  const ordinary = ['true', 'short', 'aaaaaaaaaaaa', 'localhost', 'PASSWORD', 'short\n\n\n', '127.0.0.1', ''];
  for (const value of ordinary) t.equal(listForms(Buffer.from(value)), null, value);
  t.not(listForms(Buffer.from('x1y2z3')), null);
  t.equal(MIN_VALUE_SIZE, 6);
});
