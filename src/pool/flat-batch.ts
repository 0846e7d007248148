/**
 * Batches on their way to a thread and back, as few flat values (workers/messages.ts says how). The other side is
 * workers/flat-batch.ts. Bodies pass through unread.
 */
import type {
  Batch,
  BatchResult,
  Call,
  CallFlags,
  FlatBatch,
  FlatResult,
  RareCallMembers,
  Reply,
} from '../../workers/messages.ts';

const FLAGS: CallFlags = { mayReplace: 1, hasBody: 2, hasAuthor: 4, isTrusted: 8 };
/** Numbers of a call without its parameters, and of each parameter. */
const PER_CALL = 4;
const PER_PARAMETER = 2;
const PER_REPLY = 3;

/** Does not compile when one is missing. */
const RARE = { ifMatch: true, ifNoneMatch: true, cancel: true, page: true } as const satisfies Record<
  keyof RareCallMembers,
  true
>;
const RARE_NAMES = Object.keys(RARE) as (keyof RareCallMembers)[];

export function encodeBatch(batch: Batch): FlatBatch {
  const words = new Words();
  const bodies: Uint8Array<ArrayBuffer>[] = [];
  const rare: [number, RareCallMembers][] = [];
  const numbers = new Int32Array(countNumbers(batch));
  let texts = '';
  let [at, index] = [0, 0];
  for (const call of batch) {
    const { operation, params, body, author } = call;
    numbers[at++] = words.indexOf(operation);
    numbers[at++] = flagsOf(call);
    numbers[at++] = author === undefined ? 0 : words.indexOf(author.id);
    const countAt = at++;
    for (const name in params) {
      const value = params[name] ?? '';
      texts += value;
      numbers[at++] = words.indexOf(name);
      numbers[at++] = value.length;
    }
    numbers[countAt] = (at - countAt - 1) / PER_PARAMETER;
    if (body !== null) bodies.push(body);
    if (hasRare(call)) rare.push([index, pickRare(call)]);
    index += 1;
  }
  return [words.list, numbers, texts, bodies, rare];
}

/** Numbers the words of a batch, each once. */
class Words {
  readonly list: string[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(word: string): number {
    const known = this.#indexes.get(word);
    if (known !== undefined) return known;
    this.#indexes.set(word, this.list.length);
    return this.list.push(word) - 1;
  }
}

function countNumbers(batch: Batch): number {
  let count = batch.length * PER_CALL;
  for (const { params } of batch) for (const _ in params) count += PER_PARAMETER;
  return count;
}

function flagsOf({ mayReplace, body, author }: Call): number {
  let flags = 0;
  if (mayReplace) flags |= FLAGS.mayReplace;
  if (body !== null) flags |= FLAGS.hasBody;
  if (author !== undefined) flags |= FLAGS.hasAuthor;
  if (author?.isTrusted === true) flags |= FLAGS.isTrusted;
  return flags;
}

function hasRare(call: Call): boolean {
  for (const name of RARE_NAMES) if (call[name] !== undefined) return true;
  return false;
}

function pickRare(call: Call): RareCallMembers {
  return Object.fromEntries(
    RARE_NAMES.map((name) => [name, call[name]]).filter(([, member]) => member !== undefined),
  );
}

export function decodeResult([bytes, numbers, etags, rare]: FlatResult): BatchResult {
  const replies: Reply[] = [];
  let from = 0;
  for (let at = 0; at < numbers.length; at += PER_REPLY) {
    const [offset, length, size] = [numbers[at] ?? 0, numbers[at + 1] ?? 0, numbers[at + 2] ?? 0];
    if (size < 0) {
      replies.push({ ok: true, offset, length });
    } else {
      replies.push({ ok: true, offset, length, etag: etags.slice(from, from + size) });
      from += size;
    }
  }
  for (const [index, reply] of rare) replies[index] = reply;
  return { bytes, replies };
}
