/**
 * Answers batches of reading calls: in the reader threads, and in the one thread that a short command has. Holds
 * plaintext from the moment a value is opened until it lies in the reply's bytes.
 */
import { failAll, type Handler, runCall } from './calls.ts';
import type { ReplyBuffer } from './json/reply.ts';
import type { Batch, Call, Failure, ReadOperation, Reply } from './messages.ts';
import { batchGet } from './operations/batch-get.ts';
import { checkVault } from './operations/check.ts';
import { exportSecrets } from './operations/export.ts';
import { getField, listFields } from './operations/fields.ts';
import { getSecret, listSecrets, searchSecrets } from './operations/secrets.ts';
import { listTokens } from './operations/tokens.ts';
import { getFieldValue, getValue } from './operations/values.ts';
import { describeVault } from './operations/vault.ts';
import type { ReadableVault, Vault } from './vault.ts';

const operations: Record<ReadOperation, Handler<ReadableVault>> = {
  'secrets.list': listSecrets,
  'secrets.get': getSecret,
  'secrets.batchGet': batchGet,
  'secrets.search': searchSecrets,
  'secrets.export': exportSecrets,
  'fields.list': listFields,
  'fields.get': getField,
  'values.get': getValue,
  'fieldValues.get': getFieldValue,
  'tokens.list': listTokens,
  'vault.info': describeVault,
  'vault.check': checkVault,
};

/** 1 MiB: what a batch has answered beyond this is sent before the rest of it is read. */
const MAX_REPLY_SIZE = 1_048_576;
const LATER: Failure = {
  ok: false,
  code: 'busy',
  reason: 'later',
  message: 'the answers before this one are too large; try again',
};

export function isReading(call: Call): boolean {
  return Object.hasOwn(operations, call.operation);
}

/** A reply to each call, its body in `reply`. Never rejects. `isLong`: nothing short waits for it. */
export async function readBatch(
  vault: Vault,
  batch: Batch,
  isLong: boolean,
  reply: ReplyBuffer,
): Promise<Reply[]> {
  try {
    const open = { ...(await vault.use()), isForShort: !isLong };
    // One snapshot: a secret and its fields are two reads, and the writer may commit between them.
    return vault.stores.transactions.snapshot(() =>
      batch.map((call) => (reply.length > MAX_REPLY_SIZE ? LATER : runRead(open, call, reply))),
    );
  } catch (error) {
    reply.wipe();
    return failAll(batch, error);
  }
}

function runRead(open: ReadableVault, call: Call, reply: ReplyBuffer): Reply {
  return runCall(reply, () => operations[call.operation as ReadOperation](open, call, reply));
}
