/**
 * Batches as they come to a thread and go back, as few flat values (messages.ts says how). The other side is
 * src/pool/flat-batch.ts. Hands on request bodies and replies, which may hold plaintext, and keeps none of them.
 */
import type {
  Batch,
  BatchResult,
  Call,
  CallFlags,
  FlatBatch,
  FlatResult,
  Operation,
  Reply,
  Success,
} from './messages.ts';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const FLAGS: CallFlags = { mayReplace: 1, hasBody: 2, hasAuthor: 4, isTrusted: 8 };
const PER_REPLY = 3;
const NO_TAG = -1;

/** Members that few successes have. A forgotten one does not compile. */
const RARE = { cursor: true, principals: true, warning: true, damage: true } as const satisfies Record<
  Exclude<keyof Success, 'ok' | 'offset' | 'length' | 'etag'>,
  true
>;
const RARE_NAMES = Object.keys(RARE) as (keyof typeof RARE)[];

export function decodeBatch([words, numbers, texts, bodies, rare]: FlatBatch): Batch {
  const batch: Call[] = [];
  const calls = new FlatCalls(words, numbers, texts, bodies);
  while (!calls.isAtEnd) batch.push(calls.read());
  for (const [index, members] of rare) Object.assign(batch[index] ?? {}, members);
  return batch;
}

/** Reads one call after the other. */
class FlatCalls {
  readonly #words: FlatBatch[0];
  readonly #numbers: FlatBatch[1];
  readonly #texts: string;
  readonly #bodies: FlatBatch[3];
  #at = 0;
  #textAt = 0;
  #bodyAt = 0;

  constructor(words: FlatBatch[0], numbers: FlatBatch[1], texts: string, bodies: FlatBatch[3]) {
    this.#words = words;
    this.#numbers = numbers;
    this.#texts = texts;
    this.#bodies = bodies;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#numbers.length;
  }

  read(): Call {
    const operation = this.#words[this.#next()] as Operation;
    const flags = this.#next();
    const asker = this.#words[this.#next()];
    const [authorLength, idLength, purposeLength] = [this.#next(), this.#next(), this.#next()];
    const [id, requestId] = [this.#take(authorLength), this.#take(idLength)];
    const purpose = this.#take(purposeLength);
    const params: Record<string, string> = {};
    for (let left = this.#next(); left > 0; left--) {
      const name = this.#words[this.#next()] ?? '';
      params[name] = this.#take(this.#next());
    }
    const body = (flags & FLAGS.hasBody) === 0 ? null : (this.#bodies[this.#bodyAt++] ?? null);
    const call: Mutable<Call> = { operation, params, body, mayReplace: (flags & FLAGS.mayReplace) !== 0 };
    if ((flags & FLAGS.hasAuthor) !== 0) call.author = { id, isTrusted: (flags & FLAGS.isTrusted) !== 0 };
    if (asker !== undefined) call.asker = asker;
    if (requestId !== '') call.requestId = requestId;
    if (purpose !== '') call.purpose = purpose;
    return call;
  }

  #next(): number {
    return this.#numbers[this.#at++] ?? 0;
  }

  #take(length: number): string {
    const start = this.#textAt;
    this.#textAt += length;
    return this.#texts.slice(start, this.#textAt);
  }
}

export function encodeResult({ bytes, replies }: BatchResult): FlatResult {
  const numbers = new Float64Array(replies.length * PER_REPLY);
  const rare: [number, Reply][] = [];
  let etags = '';
  let [at, index] = [0, 0];
  for (const reply of replies) {
    if (!reply.ok || isRare(reply)) rare.push([index, reply]);
    else {
      const { offset, length, etag } = reply;
      numbers[at] = offset;
      numbers[at + 1] = length;
      numbers[at + 2] = etag?.length ?? NO_TAG;
      etags += etag ?? '';
    }
    at += PER_REPLY;
    index += 1;
  }
  return [bytes, numbers, etags, rare];
}

function isRare(reply: Success): boolean {
  for (const name of RARE_NAMES) if (reply[name] !== undefined) return true;
  return false;
}
