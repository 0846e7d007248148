/**
 * The handler of batch-get: writes the secrets and fields that a request names, in its order. `writeEntry` and `writeField`
 * decrypt each value straight into the reply. `writeOrExplain` zeroes the bytes of an entry that fails.
 */
import { parseRefs, type SecretRef } from '../bodies/references.ts';
import type { Handler } from '../calls.ts';
import { getSecretRow } from '../entries/entries.ts';
import { describeUnreadable, writeFieldName, writeOrExplain } from '../entries/unreadable.ts';
import { writeEntry, writeField, writeNames } from '../entries/write-entry.ts';
import { RequestError } from '../errors/request-error.ts';
import { MAX_REPLY_SIZE, type ReplyBuffer } from '../json/reply.ts';
import type { ReadableVault } from '../open-vault.ts';

export const batchGet: Handler<ReadableVault> = (vault, call, reply) => {
  const start = reply.length;
  const unreadable: SecretRef[] = [];
  let damage: string | undefined;
  reply.ascii('{"secrets":[');
  for (const [index, ref] of parseRefs(call.body).entries()) {
    // Not before the first: a single entry of any size is returned.
    if (index > 0) {
      checkReplySize(reply.length - start);
      reply.ascii(',');
    }
    const omission = writeOrExplain(ref, reply, () => writeReferenced(vault, ref, reply));
    if (omission?.code === 'integrity') unreadable.push(ref);
    damage ??= omission?.damage;
  }
  reply.ascii(']}');
  return {
    ...(unreadable.length === 0 ? {} : { warning: describeUnreadable('batch-get', unreadable) }),
    ...(damage === undefined ? {} : { damage }),
  };
};

function checkReplySize(size: number): void {
  if (size <= MAX_REPLY_SIZE) return;
  throw new RequestError(
    'too_large',
    `the answer would be larger than ${MAX_REPLY_SIZE} bytes; ask for fewer secrets at once`,
  );
}

/** Throws RequestError `not_found` and IntegrityError, perhaps after it has written a part. */
function writeReferenced(vault: ReadableVault, ref: SecretRef, reply: ReplyBuffer): void {
  const row = getSecretRow(vault, ref);
  if (ref.field === undefined) {
    writeEntry(vault, row, reply);
    return;
  }
  writeNames(ref, reply);
  writeFieldName(ref, reply);
  writeField(vault, row, ref.field, reply);
  reply.ascii('}');
}
