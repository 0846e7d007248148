/** Response bodies: JSON written into memory that is wiped. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { ReplyBuffer } from '../workers/json/reply.ts';
import { anyCharacter } from './fixtures/any-character.ts';
import { bytes, isZero } from './fixtures/parsed-bodies.ts';

/** What `write` puts into a fresh ReplyBuffer, as text. */
function written(write: (reply: ReplyBuffer) => void): string {
  const reply = new ReplyBuffer();
  write(reply);
  return Buffer.from(reply.take()).toString();
}

/** All memory that reply buffers take until the test ends, as dirty as memory can be: what is zero later was zeroed. */
function recordMemory(t: Test): Buffer[] {
  const made: Buffer[] = [];
  const { allocUnsafeSlow } = Buffer;
  t.teardown(() => Object.assign(Buffer, { allocUnsafeSlow }));
  Buffer.allocUnsafeSlow = (size) => {
    made.push(allocUnsafeSlow(size).fill(0xaa));
    return made.at(-1) as Buffer<ArrayBuffer>;
  };
  return made;
}

t.test('ReplyBuffer.secret > any text > equals JSON.stringify', async (t) => {
  const unit = fc.oneof(
    fc.constantFrom(...'"\\/\n\r\t\b\f\u0000\u001f\u007f\u2028é😀'),
    fc.string({ unit: anyCharacter }),
  );
  fc.assert(
    fc.property(fc.array(unit), fc.nat(5), (units, offset) => {
      const text = units.join('');
      // A view into larger memory, at an offset that is no multiple of the word.
      const view = bytes('-'.repeat(offset) + text).subarray(offset);
      const found = written((reply) => reply.secret(view));
      if (found !== JSON.stringify(text)) throw new Error(`${found} for ${JSON.stringify(text)}`);
    }),
    { numRuns: 2000 },
  );
  for (let code = 0; code < 0x100; code++) {
    for (const text of [String.fromCharCode(code), `abc${String.fromCharCode(code)}defgh`]) {
      if (written((reply) => reply.secret(bytes(text))) !== JSON.stringify(text)) t.fail(`code ${code}`);
    }
  }
  t.equal(
    written((reply) => reply.secret(bytes('\n'.repeat(10_000)))),
    JSON.stringify('\n'.repeat(10_000)),
  );
});

t.test(
  'ReplyBuffer.endBase64, insert > any bytes > as Buffer has it, and nothing of the bytes is left',
  async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 6_000 }), (plain) => {
          const found = written((reply) => {
            reply.ascii('[1,"');
            reply.room(plain.length).set(plain);
            reply.insert('{"value":', plain.length + 1);
            reply.endBase64(plain.length);
            reply.ascii('}]');
          });
          return found === `[1,{"value":"${Buffer.from(plain).toString('base64')}"}]`;
        }),
      ),
    );
  },
);

t.test('ReplyBuffer.endText > grown in the midst of it > the outgrown memory is zero', async (t) => {
  const made = recordMemory(t);
  const reply = new ReplyBuffer();
  const text = 'CANARY\n'.repeat(500);
  reply.ascii('"');
  reply.room(text.length).set(bytes(text));
  reply.endText(text.length);
  t.ok(made.length > 1);
  t.ok(made.slice(0, -1).every((memory) => !memory.includes('CANARY')));
  t.equal(Buffer.from(reply.take()).toString(), JSON.stringify(text));
});

t.test('ReplyBuffer > all kinds of members > one JSON text', async (t) => {
  const text = written((reply) => {
    reply.ascii('{"name":');
    reply.string('é"\n😀');
    reply.ascii(',"metadata":');
    reply.raw('{"a":"ü"}');
    reply.ascii(',"count":');
    reply.integer(-7);
    reply.ascii(',"created_at":');
    reply.time(1_773_396_000);
    reply.ascii('}');
  });
  t.equal(text, '{"name":"é\\"\\n😀","metadata":{"a":"ü"},"count":-7,"created_at":"2026-03-13T10:00:00Z"}');
  t.throws(() => new ReplyBuffer().integer(1.5), RangeError);
});

t.test('ReplyBuffer > truncated, wiped or grown > what is left behind is zero', async (t) => {
  const made = recordMemory(t);
  const reply = new ReplyBuffer();
  reply.secret(bytes('kept'));
  const kept = reply.length;
  reply.secret(bytes('dropped'));
  reply.truncate(kept);
  t.equal(reply.length, kept);
  t.ok(isZero((made[0] as Buffer).subarray(kept, kept + 9)));
  reply.secret(bytes('x'.repeat(10_000)));
  t.equal(made.length, 2);
  t.ok(isZero((made[0] as Buffer).subarray(0, kept)), 'grown out of');
  const end = reply.length;
  reply.wipe();
  t.ok(isZero((made[1] as Buffer).subarray(0, end)), 'wiped');
  t.throws(() => reply.truncate(1), RangeError);
});

t.test('ReplyBuffer.take > transferred > has its own memory, and the buffer starts empty', async (t) => {
  const reply = new ReplyBuffer();
  const empty = reply.take();
  t.equal(structuredClone(empty, { transfer: [empty.buffer] }).length, 0);
  reply.ascii('first');
  const first = reply.take();
  t.equal(Buffer.from(structuredClone(first, { transfer: [first.buffer] })).toString(), 'first');
  reply.ascii('second');
  t.equal(Buffer.from(reply.take()).toString(), 'second');
  t.equal(new ReplyBuffer().take().length, 0);
});
