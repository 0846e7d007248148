/**
 * The writer thread: no other thread writes. Takes batches of writing calls, commits each as one transaction and returns when
 * that is on disk. Holds the keyring, and the plaintext of request bodies, which are zeroed when their batch is done.
 */
import { workerData } from 'node:worker_threads';
import { WriterLog } from './audit/writing/writer-log.ts';
import { loadBodies } from './bodies/load.ts';
import { failAll, wipeBodies } from './calls.ts';
import { commitBatch } from './commit-batch.ts';
import { answerControl, isControl } from './control-operations.ts';
import { loadWords } from './generated/passphrase.ts';
import { ReplyBuffer } from './json/reply.ts';
import { nowSeconds } from './json/times.ts';
import type { Batch, BatchResult, Reply, WorkerOptions } from './messages.ts';
import { isReading, readBatch } from './reading.ts';
import { Rotation } from './rotation/rotation.ts';
import { loadSqlite } from './store/database.ts';
import { IdleErasing } from './store/idle-erasing.ts';
import { IdleIndexing } from './store/idle-indexing.ts';
import { IdlePurging } from './store/idle-purging.ts';
import { serveThread } from './thread.ts';
import { Vault } from './vault.ts';
import { loadHandlers } from './write-operations.ts';

const vault = new Vault(workerData as WorkerOptions, 'writing');

const isDaemon = vault.options.readers > 0;

if (isDaemon) {
  void loadBodies();
  loadSqlite();
  loadWords();
}

/** Null in a short command, which ends too early: it leaves this to the daemon. */
const erasing = isDaemon ? new IdleErasing(eraseLog) : null;
const log = WriterLog.of(vault, () => erasing?.noteWrite());
const rotation = new Rotation(vault, {
  onWrite: () => erasing?.noteWrite(),
  onCurrent: () => log.retire(),
  onEnd: ({ generation, left }) => log.recordRotation(generation, left.count),
});
const indexing = isDaemon ? new IdleIndexing(indexSearches) : null;

const purging = isDaemon ? new IdlePurging(purgeDeleted) : null;

/** Unless config.json says otherwise: 400 days, so that a year can be looked back at. */
const KEPT_AUDIT_SECONDS = 400 * 86_400;
const keptAuditSeconds = vault.options.auditRules?.keptSeconds ?? KEPT_AUDIT_SECONDS;
const dropping =
  isDaemon && keptAuditSeconds > 0
    ? new IdlePurging(() => log.dropOld(nowSeconds() - keptAuditSeconds))
    : null;

function eraseLog(): boolean {
  log.forgetSynced();
  return vault.eraseLog();
}

function eraseLast(): void {
  try {
    vault.eraseLog();
  } catch {
    // The next process erases it.
  }
}

function purgeDeleted(limit: number): boolean {
  const isMore = vault.purgeDeleted(limit);
  erasing?.noteWrite();
  return isMore;
}

function indexSearches(limit: number): boolean {
  const isMore = vault.indexSearches(limit);
  erasing?.noteWrite();
  return isMore;
}

/** How long commits may wait until they are written down outside: a crash then leaves what is known behind. */
const TELL_MS = 3_000;

const telling = isDaemon ? setInterval(() => vault.tellEpoch(false), TELL_MS).unref() : null;

async function write(batch: Batch, isLong: boolean): Promise<BatchResult> {
  purging?.start();
  dropping?.start();
  const [first] = batch;
  if (first !== undefined && isReading(first)) return readBatch(vault, batch, isLong, log);
  const reply = new ReplyBuffer();
  const replies = (await runBatch(batch, reply)).map((each) => vault.noteDamage(each));
  wipeBodies(batch);
  indexing?.noteWrite();
  erasing?.noteWrite();
  return { bytes: reply.take(), replies };
}

async function runBatch(batch: Batch, reply: ReplyBuffer): Promise<Reply[]> {
  const [first] = batch;
  if (isControl(first)) return [await answerControl(vault, { log, rotation }, first, reply)];
  try {
    const handlers = await loadHandlers(batch);
    return await log.run((open) => {
      vault.checkWritable();
      const results = commitBatch({ vault, open, log, handlers, reply }, batch);
      const changed = results.flatMap((result) => result.changed);
      if (changed.length > 0) open.changes.add(changed, nowSeconds());
      return results.map((result) => result.reply);
    });
  } catch (error) {
    return failAll(batch, error);
  }
}

export default serveThread({
  run: write,
  connect: ({ keyring, audit }) => {
    vault.connect(keyring);
    log.connect(audit);
  },
  rest: () => {
    rotation.rest();
    log.rest();
    if (telling !== null) clearInterval(telling);
    vault.tellEpoch(true);
    // Putting the log in order may have been the last write.
    if (isDaemon) eraseLast();
  },
});
