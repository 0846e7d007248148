/**
 * Runs batches of reading calls, in the reader threads and in the one thread of a short command. Holds the
 * plaintext of a value from decrypting it until it is in the reply.
 */
import type { Recorder } from './audit/writing/recorder.ts';
import { failAll, type Handler, runCall, wipeBodies } from './calls.ts';
import { limitVault } from './entries/limited-vault.ts';
import { ReplyBuffer } from './json/reply.ts';
import type { Batch, BatchResult, Call, Failure, ReadOperation, Reply } from './messages.ts';
import type { OpenVault, ReadableVault } from './open-vault.ts';
import { listAudit, listReads, verifyAudit } from './operations/audit.ts';
import { batchGet } from './operations/batch-get.ts';
import { listChanges } from './operations/changes.ts';
import { checkVault } from './operations/check.ts';
import { exportSecrets } from './operations/export.ts';
import { getField, listFields } from './operations/fields.ts';
import { getSecret, listSecrets, searchSecrets } from './operations/secrets.ts';
import { getToken, listTokens } from './operations/tokens.ts';
import { getFieldValue, getValue } from './operations/values.ts';
import { getInfo } from './operations/vault.ts';
import { listDeleted, listVersions } from './operations/versions.ts';
import type { RowFindings } from './row-set/check-rows.ts';
import type { Vault } from './vault.ts';

const operations: Record<ReadOperation, Handler<ReadableVault>> = {
  'secrets.list': listSecrets,
  'secrets.get': getSecret,
  'secrets.batchGet': batchGet,
  'secrets.search': searchSecrets,
  'secrets.versions': listVersions,
  'secrets.deleted': listDeleted,
  'changes.list': listChanges,
  'secrets.export': exportSecrets,
  'fields.list': listFields,
  'fields.get': getField,
  'values.get': getValue,
  'fieldValues.get': getFieldValue,
  'tokens.list': listTokens,
  'tokens.get': getToken,
  'tokens.self': getToken,
  'audit.list': listAudit,
  'audit.verify': verifyAudit,
  'audit.reads': listReads,
  'vault.info': getInfo,
  'vault.check': checkVault,
};

/** 1 MiB. Larger replies of a batch are sent before the rest of the batch is read. */
const MAX_REPLY_SIZE = 1_048_576;
const LATER: Failure = {
  ok: false,
  code: 'busy',
  reason: 'later',
  message: 'the answers before this one are too large; try again',
};

/** Whether a reader takes the call: to carry it out, or only to record it. */
export function isReading({ operation, answered }: Call): boolean {
  return answered !== undefined || Object.hasOwn(operations, operation);
}

/** Bytes. Each reply buffer starts as large as the last one was, but one large reply must not make all others large. */
const MAX_EXPECTED_SIZE = 65_536;
let expectedSize = 0;

/**
 * Never rejects. Zeroes the request bodies. `isLong`: no short call waits for this batch. `rowFindings`: what was found out for it
 * before, if it asks for that.
 */
export async function readBatch(
  vault: Vault,
  batch: Batch,
  isLong: boolean,
  recorder: Recorder,
  rowFindings?: RowFindings,
): Promise<BatchResult> {
  const reply = new ReplyBuffer(expectedSize);
  let replies: readonly Reply[];
  try {
    replies = await recorder.run((open) =>
      runCalls(
        { ...open, isForShort: !isLong, ...(rowFindings === undefined ? {} : { rowFindings }) },
        batch,
        reply,
        recorder,
      ),
    );
  } catch (error) {
    reply.wipe();
    replies = failAll(batch, error);
  }
  replies = replies.map((each) => vault.noteDamage(each));
  wipeBodies(batch);
  expectedSize = Math.min(reply.length, MAX_EXPECTED_SIZE);
  return { bytes: reply.take(), replies };
}

/** Throws AuditError, and then no reply may leave the thread. */
function runCalls(open: OpenVault, batch: Batch, reply: ReplyBuffer, recorder: Recorder): readonly Reply[] {
  const lines = recorder.begin(open);
  const findName = (id: string) => open.tokens.find(id)?.name ?? null;
  // In one snapshot, because the writer may commit between reading a secret and reading its fields.
  const replies = open.transactions.snapshot(() =>
    batch.map((call) => {
      if (reply.length > MAX_REPLY_SIZE) return LATER;
      const { operation, limits, answered } = call;
      const read = () => operations[operation as ReadOperation](limitVault(open, limits), call, reply);
      const result =
        answered === undefined
          ? runCall(reply, () => open.approvals.run(call, findName, read))
          : repeatAnswer(answered);
      lines.add(call, result, open.touched.take());
      return result;
    }),
  );
  recorder.append(open, lines);
  return replies;
}

/** Returns the reply that a call got already, as far as the audit log shows it. */
function repeatAnswer(answered: NonNullable<Call['answered']>): Reply {
  if (answered === 'ok') return { ok: true, offset: 0, length: 0 };
  return { ok: false, code: answered, message: 'refused before' };
}
