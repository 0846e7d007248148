/** Messages of D-Bus, as the daemon reads and writes them; test/sealed-by-events.ts has a real bus read them. */
import fc from 'fast-check';
import t from 'tap';
import {
  BadMessageError,
  decodeMessage,
  encodeCall,
  measureMessage,
  SIGNAL,
} from '../src/daemon/bus/message.ts';

/** PrepareForSleep(true), big-endian, as dbus-daemon passes on what such a machine sends. */
const BIG_ENDIAN = Buffer.concat([
  Buffer.from('B\x04\x01\x01'),
  ...[4, 7, 109].map(word),
  field(1, 'o', '/org/freedesktop/login1'),
  field(2, 's', 'org.freedesktop.login1.Manager'),
  field(3, 's', 'PrepareForSleep'),
  Buffer.from([8, 1, 0x67, 0, 1, 0x62, 0]),
]);

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A field of a header with a text, padded for the one behind it. */
function field(code: number, type: string, text: string): Buffer {
  const bytes = Buffer.concat([
    Buffer.from([code, 1, type.charCodeAt(0), 0]),
    word(text.length),
    Buffer.from(`${text}\0`),
  ]);
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}

t.test('decodeMessage > a signal in the other byte order > is read', async (t) => {
  const fields = BIG_ENDIAN.length - 16;
  const head = Buffer.from(BIG_ENDIAN);
  head.writeUInt32BE(fields, 12);
  const padding = Buffer.alloc((8 - (fields % 8)) % 8);
  const bytes = Buffer.concat([head, padding, word(1)]);
  t.equal(measureMessage(bytes), bytes.length);
  const { type, member, signature, body, path } = decodeMessage(bytes);
  t.same([type, member, signature, path], [SIGNAL, 'PrepareForSleep', 'b', '/org/freedesktop/login1']);
  t.equal(body.boolean(), true);
  t.throws(() => body.boolean(), 'there is no second one');
});

t.test('encodeCall > texts, a list > are read back', async (t) => {
  const method = { destination: 'a.b', path: '/a', interface: 'a.b', member: 'C' };
  const texts = decodeMessage(encodeCall(1, { ...method, arguments: { texts: ['é', 'second'] } }));
  t.same([texts.signature, texts.body.text(), texts.body.text()], ['ss', 'é', 'second']);
  const list = decodeMessage(encodeCall(2, { ...method, arguments: { list: ['one', 'second'] } }));
  t.equal(list.signature, 'asu');
  const size = list.body.word();
  t.same([list.body.text(), list.body.text(), list.body.word()], ['one', 'second', 0]);
  t.equal(size, 4 + 4 + 4 + 7, 'without the padding behind the last');
});

t.test('measureMessage, decodeMessage > any bytes > a message or BadMessageError', async (t) => {
  const isHandled = (bytes: Buffer) => {
    try {
      const size = measureMessage(bytes);
      if (size !== null && size <= bytes.length) decodeMessage(bytes.subarray(0, size));
      return true;
    } catch (error) {
      return error instanceof BadMessageError;
    }
  };
  const call = encodeCall(1, {
    ...{ destination: 'a.b', path: '/a', interface: 'a.b', member: 'C' },
    arguments: { texts: ['text'] },
  });
  const changed = fc
    .array(fc.tuple(fc.nat(call.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const bytes = Buffer.from(call);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  t.doesNotThrow(() => fc.assert(fc.property(fc.oneof(changed, random), isHandled)));
  const huge = Buffer.from(call);
  huge.writeUInt32LE(0x7fff_ffff, 4);
  t.throws(() => measureMessage(huge));
});
