/** What imports read, by itself: JSON from the left to the right, and dotenv line by line. */
import fc from 'fast-check';
import t from 'tap';
import { parseDotenv } from '../src/cli/formats/dotenv.ts';
import { JsonReadError, JsonReader } from '../src/text/json-reader.ts';

/** As JSON.parse would answer; null-prototype objects, because a member may be called __proto__. */
function read(text: string): unknown {
  const reader = new JsonReader(text);
  const value = readValue(reader);
  reader.end();
  return value;
}

function readValue(reader: JsonReader): unknown {
  const kind = reader.peek();
  if (kind === 'string') return reader.string();
  if (kind === 'array') {
    const items: unknown[] = [];
    reader.items(() => items.push(readValue(reader)));
    return items;
  }
  if (kind !== 'object') return JSON.parse(reader.raw());
  const members: [string, unknown][] = [];
  reader.members((name) => members.push([name, readValue(reader)]));
  return Object.fromEntries(members);
}

t.test('JsonReader > any JSON > the same as JSON.parse', async (t) => {
  const property = fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, space) => {
    const text = JSON.stringify(value, null, space);
    t.strictSame(read(`\r\n ${text}\t`), JSON.parse(text));
    t.equal(new JsonReader(` ${text} `).raw(), text);
  });
  fc.assert(property, { numRuns: 300 });
});

t.test('JsonReader > any text > refused where JSON.parse refuses it', async (t) => {
  const piece = fc.constantFrom(
    ...'{}[]:,"\\ \n\t\u0001u0aeE+-.1tfn'.split(''),
    'true',
    'null',
    '"a"',
    '\\u00e9',
  );
  const property = fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const text = pieces.join('');
    // That a member is given twice is no error to JSON.parse.
    fc.pre(text.split(':').length < 3);
    t.equal(
      succeeds(() => read(text)),
      succeeds(() => JSON.parse(text)),
      text,
    );
  });
  fc.assert(property, { numRuns: 3_000 });
});

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonReadError) return false;
    throw error;
  }
}

t.test('JsonReader > something is wrong > says where, and never what', async (t) => {
  const wrong: readonly [text: string, message: string][] = [
    ['{"a":"hunter2" "b":1}', 'line 1, column 16: } is expected'],
    ['{\n  "a": "hunter2,\n  "b": 1\n}', 'line 2, column 17: a control character in a string'],
    ['{"a":"hunter2', 'line 1, column 14: a string does not end'],
    ['{"a":1,\n "a":2}', 'line 2, column 2: a member is given twice'],
    ['{"a":hunter2}', 'line 1, column 6: a JSON value is expected'],
    ['{"a":"\\hunter2"}', 'line 1, column 7: an escape that JSON does not have'],
    ['{"a":1} hunter2', 'line 1, column 9: text follows the JSON value'],
    ['{hunter2:1}', "line 1, column 2: a member's name is expected"],
    ['{"a":1', 'line 1, column 7: the text ends too early'],
    ['[1,]', 'line 1, column 4: a JSON value is expected'],
    ['', 'line 1, column 1: a JSON value is expected'],
    ['['.repeat(501), 'line 1, column 502: this is nested too deeply'],
  ];
  for (const [text, message] of wrong) {
    const reader = new JsonReader(text);
    t.throws(
      () => {
        reader.raw();
        reader.end();
      },
      { name: 'JsonReadError', message },
      message,
    );
  }
});

t.test('JsonReader > raw values > as they were written, and their lines', async (t) => {
  const text = '{"n": 1.0,\n"big": 1e400,\n"s": "\\u0041\\/",\n"o": {"x" :[ 1 ]}}';
  const reader = new JsonReader(text);
  const raw: [string, number, string][] = [];
  reader.members((name) => {
    const line = reader.lineOf(reader.position);
    raw.push([name, line, reader.raw()]);
  });
  t.strictSame(raw, [
    ['n', 1, '1.0'],
    ['big', 2, '1e400'],
    ['s', 3, '"\\u0041\\/"'],
    ['o', 4, '{"x" :[ 1 ]}'],
  ]);
  t.equal(reader.lineOf(0), 1, 'and back');
});

t.test('parseDotenv > a long file > takes no longer for each line', async (t) => {
  const file = Array.from({ length: 50_000 }, (_, index) => `N${index}=v\n`).join('');
  const parsed = parseDotenv('.env', file);
  t.strictSame(
    [parsed.length, parsed.at(-1)],
    [50_000, { name: 'N49999', value: 'v', line: 50_000, mentions: [] }],
  );
});
