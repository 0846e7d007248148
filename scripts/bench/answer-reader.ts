/**
 * Reads the answers of one connection, one after the other. It reads only the status and where each answer ends. All answers of
 * one kind begin with the same bytes up to the length: these are learnt from the first answer, and then only compared.
 */

const HEAD_END = Buffer.from('\r\n\r\n');
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const NOTHING = Buffer.alloc(0);

export class AnswerReader {
  readonly #statusLine: string;
  /** The head up to the digits of its Content-Length. */
  #prefix: Buffer = NOTHING;
  /** The beginning of a head that has not arrived whole. */
  #partialHead: Buffer = NOTHING;
  /** Bytes of the body that are still to come. */
  #missing = 0;

  /** `status`: the status that every answer must have. */
  constructor(status: number) {
    this.#statusLine = `HTTP/1.1 ${status} `;
  }

  /** Reads the first `size` of `bytes`. Returns true when the answer is complete. Throws Error for an unexpected answer. */
  read(bytes: Buffer, size: number): boolean {
    if (this.#missing > 0) return this.#skip(size);
    if (this.#partialHead.length > 0) return this.#readJoined(bytes, size);
    // The memory may hold bytes of an earlier answer after these.
    const headSize = bytes.indexOf(HEAD_END) + HEAD_END.length;
    if (headSize < HEAD_END.length || headSize > size) return this.#keep(bytes, size);
    this.#missing = this.#findLength(bytes);
    return this.#skip(size - headSize);
  }

  #skip(size: number): boolean {
    this.#missing -= size;
    if (this.#missing < 0) throw new Error('there is more behind the answer than was asked for');
    return this.#missing === 0;
  }

  #keep(bytes: Buffer, size: number): false {
    this.#partialHead = Buffer.from(bytes.subarray(0, size));
    return false;
  }

  #readJoined(bytes: Buffer, size: number): boolean {
    const joined = Buffer.concat([this.#partialHead, bytes.subarray(0, size)]);
    this.#partialHead = NOTHING;
    return this.read(joined, joined.length);
  }

  #findLength(bytes: Buffer): number {
    const { length } = this.#prefix;
    if (length === 0 || bytes.compare(this.#prefix, 0, length, 0, length) !== 0) this.#learn(bytes);
    let at = this.#prefix.length;
    let value = 0;
    for (let byte = bytes[at] ?? 0; byte >= DIGIT_0 && byte <= DIGIT_9; byte = bytes[++at] ?? 0)
      value = value * 10 + byte - DIGIT_0;
    return value;
  }

  #learn(bytes: Buffer): void {
    const head = bytes.toString('latin1', 0, bytes.indexOf(HEAD_END) + HEAD_END.length);
    if (!head.startsWith(this.#statusLine)) throw new Error(`unexpected answer: ${head.split('\r\n', 1)[0]}`);
    const found = /\r\ncontent-length: /i.exec(head);
    if (found === null) throw new Error('the answer does not say how long it is');
    this.#prefix = Buffer.from(head.slice(0, found.index + found[0].length), 'latin1');
  }
}
