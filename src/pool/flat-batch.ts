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
const PER_PARAMETER = 2;
const PER_REPLY = 3;

/** Does not compile when one is missing. */
const RARE = {
  limits: true,
  ifMatch: true,
  ifNoneMatch: true,
  cancel: true,
  page: true,
} as const satisfies Record<keyof RareCallMembers, true>;
const RARE_NAMES = Object.keys(RARE) as (keyof RareCallMembers)[];

/** `hasAuthors`: whether the thread learns who asks. Readers need not, and with many tokens each would be a word of its own. */
export function encodeBatch(batch: Batch, hasAuthors = true): FlatBatch {
  const words = new Map<string, number>();
  const rare: [number, RareCallMembers][] = [];
  const numbers: number[] = [];
  let texts = '';
  for (const [index, call] of batch.entries()) {
    const { operation, params, body, mayReplace } = call;
    const author = hasAuthors ? call.author : undefined;
    let flags = (mayReplace ? FLAGS.mayReplace : 0) | (body === null ? 0 : FLAGS.hasBody);
    if (author !== undefined) flags |= FLAGS.hasAuthor | (author.isTrusted ? FLAGS.isTrusted : 0);
    const authorAt = author === undefined ? 0 : indexIn(words, author.id);
    const start = numbers.push(indexIn(words, operation), flags, authorAt, 0);
    for (const name in params) {
      const value = params[name] ?? '';
      texts += value;
      numbers.push(indexIn(words, name), value.length);
    }
    numbers[start - 1] = (numbers.length - start) / PER_PARAMETER;
    addRare(rare, index, call);
  }
  const bodies = batch.flatMap(({ body }) => (body === null ? [] : [body]));
  return [[...words.keys()], new Int32Array(numbers), texts, bodies, rare];
}

/** Numbers the words of a batch, each once, in the order in which they came. */
function indexIn(words: Map<string, number>, word: string): number {
  const known = words.get(word);
  if (known !== undefined) return known;
  words.set(word, words.size);
  return words.size - 1;
}

/** Adds what few calls have, if this one has it. */
function addRare(rare: [number, RareCallMembers][], index: number, call: Call): void {
  let members: RareCallMembers | null = null;
  for (const name of RARE_NAMES) {
    const member = call[name];
    if (member !== undefined) members = Object.assign(members ?? {}, { [name]: member });
  }
  if (members !== null) rare.push([index, members]);
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
