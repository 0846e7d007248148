/**
 * The handler of export: writes whole entries, page by page. `writeEntry` decrypts each value straight into the reply.
 * `writeOrExplain` zeroes the bytes of an entry that fails.
 */
import { encodeCursor, getExportFilter } from '../bodies/parameters.ts';
import type { Handler, Outcome } from '../calls.ts';
import { describeUnreadable, writeOrExplain } from '../entries/unreadable.ts';
import { writeEntry } from '../entries/write-entry.ts';
import { MAX_REPLY_SIZE } from '../json/reply.ts';
import type { SecretName } from '../messages.ts';
import type { ReadableVault } from '../open-vault.ts';
import { listReadable } from '../store/rescue.ts';

export const exportSecrets: Handler<ReadableVault> = (vault, call, reply) => {
  const { limit, ...filter } = getExportFilter(call);
  const start = reply.length;
  const unreadable: SecretName[] = [];
  let damage: string | undefined;
  let last: SecretName | null = null;
  let cursor: string | null = null;
  let count = 0;
  reply.ascii('[');
  // One row more than the page shows whether there is another page.
  for (const { name, read } of listReadable(vault.secrets, { ...filter, limit: limit + 1 })) {
    if (last !== null && (count === limit || reply.length - start > MAX_REPLY_SIZE)) {
      cursor = encodeCursor(last);
      break;
    }
    if (last !== null) reply.ascii(',');
    const omission = writeOrExplain(name, reply, () => writeEntry(vault, read(), reply));
    if (omission?.code === 'integrity') unreadable.push(name);
    damage ??= omission?.damage;
    last = name;
    count += 1;
  }
  reply.ascii(']');
  return makeOutcome(cursor, unreadable, damage);
};

function makeOutcome(
  cursor: string | null,
  unreadable: readonly SecretName[],
  damage: string | undefined,
): Outcome {
  return {
    ...(cursor === null ? {} : { cursor }),
    ...(unreadable.length === 0 ? {} : { warning: describeUnreadable('export', unreadable) }),
    ...(damage === undefined ? {} : { damage }),
  };
}
