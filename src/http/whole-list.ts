/**
 * A list asked for without `limit`: put together from pages, so that however long it is, neither this thread holds it
 * nor a reader works on it for long. Each page is a snapshot of its own; what stays in its place is in exactly one.
 */
import type { Call, PageBounds } from '../../workers/messages.ts';
import type { Answered } from '../answered.ts';
import { HttpError } from './errors.ts';
import type { Match } from './router.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Page = Extract<Answered, { ok: true }>;

/**
 * Pieces of an answer's body, each in memory of its own, which whoever takes it zeroes. Throws HttpError where the answer
 * breaks off.
 */
export type Rest = AsyncGenerator<Bytes, void, undefined>;

/** Well under a millisecond of a reader thread: what arrives meanwhile has to wait for it. */
export const PAGE: PageBounds = { rows: 100, bytes: 262_144 };

const COMMA = 0x2c;
const EMPTY_ARRAY_SIZE = 2;

export function isWholeList({ route, params }: Match): boolean {
  return route.streamed === true && params.limit === undefined;
}

/** The body, or its beginning and what comes after it. */
export function startList(
  call: Call,
  { body, cursor }: Page,
  readPage: (call: Call) => Promise<Answered>,
): { readonly body: Bytes; readonly rest: Rest | null } {
  if (cursor === undefined) return { body, rest: null };
  return { body: withoutBracket(body), rest: readRest(call, cursor, readPage) };
}

async function* readRest(call: Call, start: string, readPage: (call: Call) => Promise<Answered>): Rest {
  for (let cursor: string | undefined = start; cursor !== undefined; ) {
    const page: Answered = await readPage({ ...call, page: PAGE, params: { ...call.params, cursor } });
    if (!page.ok) throw new HttpError(page.code, page.message);
    cursor = page.cursor;
    yield continueArray(page.body, cursor === undefined);
  }
}

/** `[c,d]` behind `[a,b`: the bytes of another array with its bracket made a comma. */
function continueArray(array: Bytes, isLast: boolean): Bytes {
  // What had been there when the page before was read may be gone by now.
  if (array.length === EMPTY_ARRAY_SIZE) return array.subarray(1);
  array[0] = COMMA;
  return isLast ? array : withoutBracket(array);
}

function withoutBracket(array: Bytes): Bytes {
  return array.subarray(0, -1);
}
