/**
 * Puts a list without `limit` together from pages, so that the request thread never holds a long list and no reader works on
 * it for long. Each page is a snapshot of its own. An entry that keeps its name is on exactly one page.
 */
import type { Call, PageBounds } from '../../workers/messages.ts';
import type { CallResult } from '../call-result.ts';
import { HttpError } from './errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Page = Extract<CallResult, { ok: true }>;

/**
 * Pieces of a response body, each in memory of its own, which the caller zeroes. Throws HttpError where the list breaks
 * off.
 */
export type Rest = AsyncGenerator<Bytes, void, undefined>;

/** A page takes a reader thread well under a millisecond. Other requests have to wait for that time. */
export const PAGE: PageBounds = { rows: 100, bytes: 262_144 };

const COMMA = 0x2c;
const EMPTY_ARRAY_SIZE = 2;

/** Returns the whole body, or its beginning and what comes after it. */
export function startList(
  call: Call,
  { body, cursor }: Page,
  readPage: (call: Call) => Promise<CallResult>,
): { readonly body: Bytes; readonly rest: null } | { readonly body: Bytes; readonly rest: Rest } {
  if (cursor === undefined) return { body, rest: null };
  return { body: withoutBracket(body), rest: readRest(call, cursor, readPage) };
}

async function* readRest(call: Call, start: string, readPage: (call: Call) => Promise<CallResult>): Rest {
  for (let cursor: string | undefined = start; cursor !== undefined; ) {
    const page: CallResult = await readPage({ ...call, page: PAGE, params: { ...call.params, cursor } });
    if (!page.ok) throw new HttpError(page.code, page.message);
    cursor = page.cursor;
    yield continueArray(page.body, cursor === undefined);
  }
}

/** Makes `,c,d]` of `[c,d]`, so that it continues `[a,b`. */
function continueArray(array: Bytes, isLast: boolean): Bytes {
  // The entries that followed may have been deleted since the page before was read.
  if (array.length === EMPTY_ARRAY_SIZE) return array.subarray(1);
  array[0] = COMMA;
  return isLast ? array : withoutBracket(array);
}

function withoutBracket(array: Bytes): Bytes {
  return array.subarray(0, -1);
}
