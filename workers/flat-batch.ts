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
  let [at, textAt, bodyAt] = [0, 0, 0];
  while (at < numbers.length) {
    const operation = words[numbers[at++] ?? -1] as Operation;
    const flags = numbers[at++] ?? 0;
    const authorId = words[numbers[at++] ?? -1] ?? '';
    const params: Record<string, string> = {};
    for (let left = numbers[at++] ?? 0; left > 0; left--) {
      const name = words[numbers[at++] ?? -1] ?? '';
      const length = numbers[at++] ?? 0;
      params[name] = texts.slice(textAt, textAt + length);
      textAt += length;
    }
    const body = (flags & FLAGS.hasBody) === 0 ? null : (bodies[bodyAt++] ?? null);
    const call: Mutable<Call> = { operation, params, body, mayReplace: (flags & FLAGS.mayReplace) !== 0 };
    if ((flags & FLAGS.hasAuthor) !== 0)
      call.author = { id: authorId, isTrusted: (flags & FLAGS.isTrusted) !== 0 };
    batch.push(call);
  }
  for (const [index, members] of rare) Object.assign(batch[index] ?? {}, members);
  return batch;
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
