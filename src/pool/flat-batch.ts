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
const NO_ASKER = -1;

/** Does not compile when one is missing. */
const RARE = {
  limits: true,
  confirm: true,
  approved: true,
  ifMatch: true,
  ifNoneMatch: true,
  cancel: true,
  answered: true,
  page: true,
} as const satisfies Record<keyof RareCallMembers, true>;
const RARE_NAMES = Object.keys(RARE) as (keyof RareCallMembers)[];

export function encodeBatch(batch: Batch): FlatBatch {
  const flat = new FlatCalls();
  const rare: [number, RareCallMembers][] = [];
  for (const [index, call] of batch.entries()) {
    flat.add(call);
    addRare(rare, index, call);
  }
  const bodies = batch.flatMap(({ body }) => (body === null ? [] : [body]));
  return [[...flat.words.keys()], new Int32Array(flat.numbers), flat.texts, bodies, rare];
}

/** What all calls have. */
class FlatCalls {
  /** The words of the batch, each once, in the order in which they came. */
  readonly words = new Map<string, number>();
  readonly numbers: number[] = [];
  /**
   * Ids are here and not among the words: with many tokens nearly every call has one of its own, and a word costs a thread more
   * than a few characters.
   */
  texts = '';

  add({ operation, params, body, mayReplace, author, asker, requestId = '', purpose = '' }: Call): void {
    const authorId = author === undefined ? '' : author.id;
    this.texts += authorId;
    this.texts += requestId;
    this.texts += purpose;
    const start = this.numbers.push(
      this.#indexOf(operation),
      joinFlags(mayReplace, body, author),
      asker === undefined ? NO_ASKER : this.#indexOf(asker),
      authorId.length,
      requestId.length,
      purpose.length,
      0,
    );
    for (const name in params) {
      const value = params[name] ?? '';
      this.texts += value;
      this.numbers.push(this.#indexOf(name), value.length);
    }
    this.numbers[start - 1] = (this.numbers.length - start) / PER_PARAMETER;
  }

  #indexOf(word: string): number {
    const known = this.words.get(word);
    if (known !== undefined) return known;
    this.words.set(word, this.words.size);
    return this.words.size - 1;
  }
}

function joinFlags(mayReplace: boolean, body: Call['body'], author: Call['author']): number {
  const flags = (mayReplace ? FLAGS.mayReplace : 0) | (body === null ? 0 : FLAGS.hasBody);
  if (author === undefined) return flags;
  return flags | FLAGS.hasAuthor | (author.isTrusted ? FLAGS.isTrusted : 0);
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
