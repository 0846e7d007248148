/**
 * Commits a batch of writing calls, with their entries in the audit log. The bytes of a call that failed are zeroed in the
 * reply.
 */
import type { TouchedToken } from './audit/touched.ts';
import type { EntryLines } from './audit/writing/audit-entry.ts';
import type { WriterLog } from './audit/writing/writer-log.ts';
import { runCall } from './calls.ts';
import { checkWanted } from './cancellation.ts';
import { limitVault } from './entries/limited-vault.ts';
import { keepWraps, reserveWraps } from './entries/wrap-count.ts';
import { LostTransactionError, toFailure } from './failures.ts';
import type { ReplyBuffer } from './json/reply.ts';
import type { Batch, Call, Operation, Reply, WriteOperation } from './messages.ts';
import type { OpenVault, WritableVault } from './open-vault.ts';
import type { ChangedSecret } from './recent-changes.ts';
import type { Vault } from './vault.ts';
import { CHANGES, TAKES_ONE_VERSION, type WriteHandlers } from './write-operations.ts';

/** What a batch is carried out with. */
interface Writing {
  readonly vault: Vault;
  readonly open: OpenVault;
  readonly log: WriterLog;
  readonly handlers: WriteHandlers;
  /** Takes the bodies of the replies. */
  readonly reply: ReplyBuffer;
}

/** A call that was carried out. */
export interface CarriedOut {
  readonly reply: Reply;
  /** What it changed; nothing if it failed. */
  readonly changed: readonly ChangedSecret[];
  /** The token that it made or revoked. */
  readonly token: TouchedToken | null;
}

/** Calls that may change tens of thousands of rows. */
const LARGE: ReadonlySet<Operation> = new Set<WriteOperation>(['secrets.import']);

/**
 * Commits the batch as one transaction, so that all its calls share one sync of the disk. If the transaction itself fails,
 * nothing of it is stored. Each call then gets a transaction of its own, so that a call that is too large for the rest of
 * the disk does not make the others fail. A batch with a large call is committed like that from the beginning.
 */
export function commitBatch(writing: Writing, batch: Batch): readonly CarriedOut[] {
  const { vault, reply } = writing;
  if (batch.length > 1 && !batch.some(({ operation }) => LARGE.has(operation)))
    try {
      return commitTogether(writing, batch);
    } catch (error) {
      reply.truncate(0);
      const failure = vault.noteDamage(toFailure(error));
      if (failure.damage !== undefined)
        return batch.map(() => ({ reply: failure, changed: [], token: null }));
    }
  return batch.map((call) => {
    const offset = reply.length;
    try {
      vault.checkWritable();
      return commitAlone(writing, call);
    } catch (error) {
      reply.truncate(offset);
      return { reply: vault.noteDamage(toFailure(error)), changed: [], token: null };
    }
  });
}

/** Carries the calls out and commits them, with their entries in the audit log. */
function commitTogether(writing: Writing, batch: Batch): readonly CarriedOut[] {
  const { log, open } = writing;
  const lines = log.begin(open);
  const { results, stored, wraps } = open.transactions.write(() => {
    const numbered = withVersions(open, batch);
    const inSavepoint: Surround = (work) => open.transactions.write(work);
    const results = batch.map((call) => carryOut(writing, numbered, call, inSavepoint));
    for (const [index, done] of results.entries()) addEntry(lines, batch[index] as Call, done);
    if (!results.some(({ reply }) => reply.ok)) return { results, stored: undefined };
    return { results, stored: log.store(open, lines), wraps: reserveWraps(open) };
  });
  // Where nothing succeeded there was nothing to sync, and the entries go into the file alone.
  if (stored === undefined) log.append(open, lines);
  else log.keep(stored);
  if (wraps !== undefined) keepWraps(open, wraps);
  return results;
}

/** Thrown to roll the transaction of one call back. */
class FailedCallError extends Error {
  readonly done: CarriedOut;

  constructor(done: CarriedOut) {
    super('the call failed');
    this.done = done;
  }
}

/**
 * Carries a call out and commits it, with its entry in the audit log. It does so without a savepoint. While one is open, SQLite
 * keeps a list of the pages as they were at its beginning, and most statements go through this list (memjrnl.c): an import of
 * 20,000 secrets into a vault of 260,000 took 75 s.
 */
function commitAlone(writing: Writing, call: Call): CarriedOut {
  const { log, open } = writing;
  const lines = log.begin(open);
  try {
    const { done, stored, wraps } = open.transactions.write(() => {
      const done = carryOut(writing, open, call, (work) => work());
      if (!done.reply.ok) throw new FailedCallError(done);
      addEntry(lines, call, done);
      return { done, stored: log.store(open, lines), wraps: reserveWraps(open) };
    });
    log.keep(stored);
    keepWraps(open, wraps);
    return done;
  } catch (error) {
    if (!(error instanceof FailedCallError)) throw error;
    // There was nothing to sync, and the entry goes into the file alone.
    addEntry(lines, call, error.done);
    log.append(open, lines);
    return error.done;
  }
}

function addEntry(lines: EntryLines, call: Call, { reply, changed, token }: CarriedOut): void {
  lines.add(call, reply, { read: [], changed, token });
}

/**
 * Returns the vault with a version for each of these calls, taken by one statement: a statement for each would take half as
 * long as encrypting. Call it outside the savepoints: one that is rolled back would give versions back that others use.
 */
function withVersions(open: OpenVault, batch: Batch): OpenVault {
  let left = batch.filter(({ operation }) => TAKES_ONE_VERSION[operation as WriteOperation]).length;
  if (left < 2) return open;
  let next = open.vault.takeVersions(left);
  const nextVersion = () => {
    if (left === 0) return open.nextVersion();
    left -= 1;
    return next++;
  };
  return { ...open, nextVersion };
}

/** Runs what it is given, and undoes the changes of what throws, or leaves that to its caller. */
type Surround = <T>(work: () => T) => T;

function carryOut({ handlers, reply }: Writing, open: OpenVault, call: Call, surround: Surround): CarriedOut {
  const operation = call.operation as WriteOperation;
  const handle = handlers[operation];
  if (handle === undefined) throw new RangeError('no such operation of the writer');
  const changed: ChangedSecret[] = [];
  const author = call.author ?? open.author;
  const noteChange: WritableVault['noteChange'] = ({ name, environment }, version, change) =>
    changed.push({ name, environment, version, change, writtenBy: author.id });
  const noting = { ...open, author, change: CHANGES[operation], noteChange };
  const result = runCall(reply, () =>
    surround(() => {
      checkWanted(call);
      const outcome = handle(limitVault(noting, call.limits), call, reply);
      // The last moment before the commit: if the call was cancelled, what it changed is undone.
      checkWanted(call);
      return outcome;
    }),
  );
  // After some errors SQLite has rolled back the whole transaction by itself, with the calls before this one. And a file that
  // turned out to be damaged must not get the writes of the others.
  if (!result.ok && (!open.db.inTransaction || result.damage !== undefined))
    throw new LostTransactionError(result);
  const { token } = open.touched.take();
  return { reply: result, changed: result.ok ? changed : [], token };
}
