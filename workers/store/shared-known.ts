/**
 * How the vault is known to the user, shared by all threads of the process: it changes when a key slot is added or removed,
 * and a thread that opens the file later must compare it with what is known by then. Only the writer writes.
 */
import type { KnownVault } from '../messages.ts';

/** Words before the text: how often a text was written, odd while one is being written, and its length in bytes. */
const SEQUENCE = 0;
const LENGTH = 1;
const TEXT_OFFSET = 2 * Int32Array.BYTES_PER_ELEMENT;

export class SharedKnown {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #sequence = 0;
  #read: KnownVault | null;

  /** `atStart` holds until the memory, which begins with zeros, has something newer. */
  constructor(atStart: KnownVault | null, memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, TEXT_OFFSET);
    this.#read = atStart;
  }

  get current(): KnownVault | null {
    const sequence = Atomics.load(this.#words, SEQUENCE);
    if (sequence !== this.#sequence) this.#readAgain(sequence);
    return this.#read;
  }

  /** Throws RangeError if the text is longer than the memory: then the vault has more slots than any vault may have. */
  write(known: KnownVault): void {
    const text = Buffer.from(JSON.stringify(known));
    if (text.length > this.#bytes.length) throw new RangeError('what is known of the vault is too long');
    Atomics.add(this.#words, SEQUENCE, 1);
    this.#bytes.set(text);
    Atomics.store(this.#words, LENGTH, text.length);
    Atomics.add(this.#words, SEQUENCE, 1);
  }

  /** Keeps the last text where another is being written: that one is read at the next look. */
  #readAgain(sequence: number): void {
    if (sequence % 2 !== 0) return;
    const text = Buffer.from(this.#bytes.slice(0, Atomics.load(this.#words, LENGTH))).toString();
    if (Atomics.load(this.#words, SEQUENCE) !== sequence) return;
    this.#read = JSON.parse(text);
    this.#sequence = sequence;
  }
}
