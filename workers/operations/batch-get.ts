/**
 * Batch-get: the secrets and fields that a request names, in its order. Holds each value's plaintext between opening it
 * and writing it into the reply, as bytes only; it is zeroed there (`writeEntry`, `writeValue`), and so is what was
 * written of an entry that fails (`writeOrExplain`).
 */
import { parseRefs, type SecretRef } from '../bodies/references.ts';
import type { Handler } from '../calls.ts';
import { getSecretRow } from '../entries/entries.ts';
import { decryptField } from '../entries/fields.ts';
import { describeUnreadable, writeFieldName, writeOrExplain } from '../entries/unreadable.ts';
import { writeEntry, writeNames, writeValue } from '../entries/write-entry.ts';
import { RequestError } from '../errors/request-error.ts';
import { MAX_REPLY_SIZE, type ReplyBuffer } from '../json/reply.ts';
import type { ReadableVault } from '../vault.ts';

export const batchGet: Handler<ReadableVault> = (vault, call, reply) => {
  const start = reply.length;
  const unreadable: SecretRef[] = [];
  let damage: string | undefined;
  reply.ascii('{"secrets":[');
  for (const [index, ref] of parseRefs(call.body).entries()) {
    // Never in front of the first: one entry by itself is answered whatever its size.
    if (index > 0) {
      checkSize(reply.length - start);
      reply.ascii(',');
    }
    const omission = writeOrExplain(ref, reply, () => writeWanted(vault, ref, reply));
    if (omission?.code === 'integrity') unreadable.push(ref);
    damage ??= omission?.damage;
  }
  reply.ascii(']}');
  return {
    ...(unreadable.length === 0 ? {} : { warning: describeUnreadable('batch-get', unreadable) }),
    ...(damage === undefined ? {} : { damage }),
  };
};

function checkSize(size: number): void {
  if (size <= MAX_REPLY_SIZE) return;
  throw new RequestError(
    'too_large',
    `the answer would be larger than ${MAX_REPLY_SIZE} bytes; ask for fewer secrets at once`,
  );
}

/** Throws RequestError `not_found` and IntegrityError, perhaps in the middle of it. */
function writeWanted(vault: ReadableVault, ref: SecretRef, reply: ReplyBuffer): void {
  const row = getSecretRow(vault, ref);
  if (ref.field === undefined) {
    writeEntry(vault, row, reply);
    return;
  }
  const value = decryptField(vault, row, ref.field);
  writeNames(ref, reply);
  writeFieldName(ref, reply);
  writeValue(value, reply);
  reply.ascii('}');
}
