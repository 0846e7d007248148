/**
 * A reader thread: takes batches of reading calls and answers each. Holds the keyring, and plaintext from the moment
 * a value is opened until it lies in the reply's bytes, which are transferred away.
 */
import { workerData } from 'node:worker_threads';
import { failAll, finish, type Handler, type Moved, runCall } from './calls.ts';
import type { Batch, Call, ReadOperation, Reply, WorkerOptions } from './messages.ts';
import { checkVault } from './operations/check.ts';
import { exportSecrets } from './operations/export.ts';
import { getField, listFields } from './operations/fields.ts';
import { getSecret, listSecrets, searchSecrets } from './operations/secrets.ts';
import { listTokens } from './operations/tokens.ts';
import { getFieldValue, getValue } from './operations/values.ts';
import { describeVault } from './operations/vault.ts';
import { ReplyBuffer } from './reply.ts';
import { type ReadableVault, Vault } from './vault.ts';

const operations: Record<ReadOperation, Handler<ReadableVault>> = {
  'secrets.list': listSecrets,
  'secrets.get': getSecret,
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

const vault = new Vault(workerData as WorkerOptions, 'reading');

export default async function read(batch: Batch): Promise<Moved> {
  const reply = new ReplyBuffer();
  const replies = await answer(batch, reply);
  return finish(reply, replies);
}

async function answer(batch: Batch, reply: ReplyBuffer): Promise<Reply[]> {
  try {
    const open = await vault.use();
    // One snapshot: a secret and its fields are two reads, and the writer may commit between them.
    return vault.stores.db.transaction(() => batch.map((call) => runRead(open, call, reply))).deferred();
  } catch (error) {
    reply.wipe();
    return failAll(batch, error);
  }
}

function runRead(open: ReadableVault, call: Call, reply: ReplyBuffer): Reply {
  return runCall(reply, () => operations[call.operation as ReadOperation](open, call, reply));
}
