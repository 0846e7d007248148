/**
 * Export: whole entries, page by page. Holds each value's plaintext between opening it and writing it into the reply,
 * as bytes only; it is zeroed there (`writeEntry`), and so is what was written of an entry that fails (`writeOrExplain`).
 */
import type { Handler, Outcome } from '../calls.ts';
import { listReadable } from '../store/rescue.ts';
import type { Place } from '../store/secrets.ts';
import type { ReadableVault } from '../vault.ts';
import { describeUnreadable, writeOrExplain } from './answer-of-many.ts';
import { MAX_ANSWER_SIZE } from './answer-size.ts';
import { encodeCursor, getExportFilter } from './parameters.ts';
import { writeEntry } from './secrets.ts';

export const exportSecrets: Handler<ReadableVault> = (vault, call, reply) => {
  const { limit, ...filter } = getExportFilter(call);
  const start = reply.length;
  const unreadable: Place[] = [];
  let damage: string | undefined;
  let last: Place | null = null;
  let cursor: string | null = null;
  let count = 0;
  reply.ascii('[');
  // One row more than the page shows whether there is another page.
  for (const { place, read } of listReadable(vault.secrets, { ...filter, limit: limit + 1 })) {
    if (last !== null && (count === limit || reply.length - start > MAX_ANSWER_SIZE)) {
      cursor = encodeCursor(last);
      break;
    }
    if (last !== null) reply.ascii(',');
    const omission = writeOrExplain(place, reply, () => writeEntry(vault, read(), reply));
    if (omission?.code === 'integrity') unreadable.push(place);
    damage ??= omission?.damage;
    last = place;
    count += 1;
  }
  reply.ascii(']');
  return describeOutcome(cursor, unreadable, damage);
};

function describeOutcome(
  cursor: string | null,
  unreadable: readonly Place[],
  damage: string | undefined,
): Outcome {
  return {
    ...(cursor === null ? {} : { cursor }),
    ...(unreadable.length === 0 ? {} : { warning: describeUnreadable('export', unreadable) }),
    ...(damage === undefined ? {} : { damage }),
  };
}
