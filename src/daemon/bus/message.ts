/**
 * Messages of D-Bus, as far as the daemon needs them: calls with texts as arguments, and the heads and bodies of what arrives.
 * Sections are those of the D-Bus specification.
 */

/** "Message Types". */
export const METHOD_CALL = 1;
export const METHOD_RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** "Header Fields": their codes. */
const PATH = 1;
const INTERFACE = 2;
const MEMBER = 3;
const REPLY_SERIAL = 5;
const DESTINATION = 6;
const SENDER = 7;
const SIGNATURE = 8;

/** "Message Format": byte order, type, flags and version, then the body's size, the serial, and the size of the fields. */
const FIXED_SIZE = 16;
const BODY_SIZE_AT = 4;
const SERIAL_AT = 8;
const FIELDS_SIZE_AT = 12;
const LITTLE_ENDIAN = 0x6c;
const PROTOCOL_VERSION = 1;
const ALIGNMENT = 8;
/** Far more than a signal or a reply that the daemon asked for. The specification permits 128 MiB. */
const MAX_MESSAGE_SIZE = 1_048_576;

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly arguments: CallArguments;
}

/** Texts, or a list of texts and flags of which none is set (`asu`). */
export type CallArguments = { readonly texts: readonly string[] } | { readonly list: readonly string[] };

/** A message that arrived. */
export interface Message {
  readonly type: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** The unique name of the connection that sent it, which the bus itself fills in. */
  readonly sender: string;
  readonly replySerial: number;
  readonly signature: string;
  readonly body: BodyReader;
}

/** What arrived is not D-Bus, or is more than the daemon takes. */
export class BadMessageError extends Error {}

/** Little-endian. */
export function encodeCall(serial: number, call: MethodCall): Buffer {
  const { signature, body } = encodeArguments(call.arguments);
  const fields = new Writer();
  for (const [code, type, text] of [
    [PATH, 'o', call.path],
    [INTERFACE, 's', call.interface],
    [MEMBER, 's', call.member],
    [DESTINATION, 's', call.destination],
  ] as const)
    fields.align(ALIGNMENT).byte(code).signature(type).text(text);
  if (signature !== '') fields.align(ALIGNMENT).byte(SIGNATURE).signature('g').signature(signature);
  const head = Buffer.alloc(FIXED_SIZE);
  head.set([LITTLE_ENDIAN, METHOD_CALL, 0, PROTOCOL_VERSION]);
  head.writeUInt32LE(body.bytes.length, BODY_SIZE_AT);
  head.writeUInt32LE(serial, SERIAL_AT);
  head.writeUInt32LE(fields.bytes.length, FIELDS_SIZE_AT);
  return Buffer.concat([head, fields.align(ALIGNMENT).bytes, body.bytes]);
}

function encodeArguments(given: CallArguments): { readonly signature: string; readonly body: Writer } {
  const isList = 'list' in given;
  const texts = new Writer();
  for (const text of isList ? given.list : given.texts) texts.text(text);
  if (!isList) return { signature: 's'.repeat(given.texts.length), body: texts };
  return { signature: 'asu', body: new Writer().word(texts.bytes.length).append(texts.bytes).word(0) };
}

/** Returns the size of the message at the start of `bytes`; null if more bytes are needed to tell. Throws BadMessageError. */
export function measureMessage(bytes: Buffer): number | null {
  if (bytes.length < FIXED_SIZE) return null;
  const read = readerOf(bytes);
  const fields = roundUp(read.word(FIELDS_SIZE_AT), ALIGNMENT);
  const size = FIXED_SIZE + fields + read.word(BODY_SIZE_AT);
  if (bytes[3] !== PROTOCOL_VERSION || size > MAX_MESSAGE_SIZE) throw new BadMessageError();
  return size;
}

/** `bytes`: one whole message. Throws BadMessageError. */
export function decodeMessage(bytes: Buffer): Message {
  const fieldsEnd = FIXED_SIZE + readerOf(bytes).word(FIELDS_SIZE_AT);
  const body = bytes.subarray(roundUp(fieldsEnd, ALIGNMENT));
  const texts = new Map<number, string>();
  let replySerial = 0;
  const reader = new BodyReader(bytes, FIXED_SIZE);
  while (reader.at < fieldsEnd) {
    reader.align(ALIGNMENT);
    const code = reader.byte();
    const type = reader.signature();
    if (type === 'u') {
      const value = reader.word();
      if (code === REPLY_SERIAL) replySerial = value;
    } else if (type === 's' || type === 'o') texts.set(code, reader.text());
    else if (type === 'g') texts.set(code, reader.signature());
    else throw new BadMessageError();
  }
  const find = (code: number) => texts.get(code) ?? '';
  return {
    type: bytes[1] ?? 0,
    path: find(PATH),
    interface: find(INTERFACE),
    member: find(MEMBER),
    sender: find(SENDER),
    replySerial,
    signature: find(SIGNATURE),
    body: new BodyReader(body, 0, bytes[0] === LITTLE_ENDIAN),
  };
}

function readerOf(bytes: Buffer): { word(at: number): number } {
  const isLittle = bytes[0] === LITTLE_ENDIAN;
  return { word: (at) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)) };
}

/** "Marshaling": reads values one after the other. Every method throws BadMessageError past the end. */
export class BodyReader {
  readonly #bytes: Buffer;
  readonly #isLittle: boolean;
  at: number;

  constructor(bytes: Buffer, at: number, isLittle = bytes[0] === LITTLE_ENDIAN) {
    this.#bytes = bytes;
    this.#isLittle = isLittle;
    this.at = at;
  }

  align(size: number): void {
    this.at = roundUp(this.at, size);
  }

  byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  word(): number {
    this.align(4);
    const bytes = this.#take(4);
    return this.#isLittle ? bytes.readUInt32LE() : bytes.readUInt32BE();
  }

  boolean(): boolean {
    return this.word() !== 0;
  }

  /** A text or an object path. */
  text(): string {
    return this.#terminated(this.word());
  }

  signature(): string {
    return this.#terminated(this.byte());
  }

  /** A NUL follows. */
  #terminated(size: number): string {
    const text = this.#take(size).toString();
    this.#take(1);
    return text;
  }

  #take(size: number): Buffer {
    const end = this.at + size;
    if (end > this.#bytes.length) throw new BadMessageError();
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}

class Writer {
  bytes = Buffer.alloc(0);

  align(size: number): this {
    return this.append(Buffer.alloc(roundUp(this.bytes.length, size) - this.bytes.length));
  }

  byte(value: number): this {
    return this.append(Buffer.from([value]));
  }

  word(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return this.align(4).append(bytes);
  }

  text(text: string): this {
    return this.word(Buffer.byteLength(text)).append(Buffer.from(`${text}\0`));
  }

  signature(text: string): this {
    return this.byte(text.length).append(Buffer.from(`${text}\0`));
  }

  append(more: Buffer): this {
    this.bytes = Buffer.concat([this.bytes, more]);
    return this;
  }
}

function roundUp(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}
