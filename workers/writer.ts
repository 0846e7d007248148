/**
 * The writer thread: no other thread writes. Takes batches of writing calls, commits each as one transaction and returns when
 * that is on disk. Holds the keyring, and the plaintext of request bodies, which are zeroed when their batch is done.
 */
import { workerData } from 'node:worker_threads';
import {
  type BodyHandler,
  failAll,
  type Handler,
  type Outcome,
  runCall,
  runControl,
  wipeBodies,
} from './calls.ts';
import { checkWanted } from './cancellation.ts';
import { limitVault } from './entries/limited-vault.ts';
import { LostTransactionError, toFailure } from './failures.ts';
import { loadWords } from './generated/passphrase.ts';
import { ReplyBuffer } from './json/reply.ts';
import type {
  Batch,
  BatchResult,
  Call,
  Change,
  ControlOperation,
  Reply,
  WorkerOptions,
  WriteOperation,
} from './messages.ts';
import { acceptSecret } from './operations/accept.ts';
import { adoptVault, inspectVault } from './operations/adopt.ts';
import { destroyVault } from './operations/destroy.ts';
import { deleteField, putField, putFields } from './operations/fields.ts';
import { importSecrets } from './operations/import.ts';
import { rotateKek } from './operations/keys.ts';
import { createVault, reportKeychain } from './operations/new-vault.ts';
import { generatePassword } from './operations/passwords.ts';
import { renameSecret } from './operations/rename.ts';
import { deleteSecret, patchSecret, putSecret } from './operations/secrets.ts';
import { createToken, reserveUses, revokeToken, rotateToken, touchTokens } from './operations/tokens.ts';
import { putFieldValue, putValue } from './operations/values.ts';
import { reportStatus, resume, seal, unseal } from './operations/vault.ts';
import { purgeSecret, restoreSecret, rollbackSecret } from './operations/versions.ts';
import { isReading, readBatch } from './reading.ts';
import { loadSqlite } from './store/database.ts';
import { IdleErasing } from './store/idle-erasing.ts';
import { IdleIndexing } from './store/idle-indexing.ts';
import { IdlePurging } from './store/idle-purging.ts';
import { serveThread } from './thread.ts';
import { type OpenVault, Vault, type WritableVault } from './vault.ts';

const vault = new Vault(workerData as WorkerOptions, 'writing');

type Bodies = typeof import('./bodies/schemas.ts');

/**
 * zod takes longer to load than everything else here. The writer of a daemon loads it at its start, while it has nothing
 * else to do. The one thread of a short command loads it only for a body that needs it.
 */
let loadingBodies: Promise<Bodies> | null = null;

function loadBodies(): Promise<Bodies> {
  loadingBodies ??= import('./bodies/schemas.ts');
  return loadingBodies;
}

const isDaemon = vault.options.readers > 0;

if (isDaemon) {
  void loadBodies();
  loadSqlite();
  loadWords();
}

/** Null in a short command, which ends too early: it leaves this to the daemon. */
const erasing = isDaemon ? new IdleErasing(() => vault.eraseLog()) : null;
const indexing = isDaemon ? new IdleIndexing(indexSearches) : null;

const purging = isDaemon ? new IdlePurging(purgeDeleted) : null;

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

/** Operations without a body, or with the bytes of a value as their body. */
const plainOperations = {
  'secrets.accept': acceptSecret,
  'secrets.delete': deleteSecret,
  'secrets.restore': restoreSecret,
  'secrets.purge': purgeSecret,
  'fields.delete': deleteField,
  'values.put': putValue,
  'fieldValues.put': putFieldValue,
  'tokens.revoke': revokeToken,
  'tokens.touch': touchTokens,
  'tokens.reserve': reserveUses,
} satisfies Partial<Record<WriteOperation, Handler<WritableVault>>>;

type ParsedOperation = Exclude<WriteOperation, keyof typeof plainOperations>;

/** Operations with a JSON body. */
const parsedOperations: { [Name in ParsedOperation]: BodyHandler<Name> } = {
  'secrets.put': putSecret,
  'secrets.patch': patchSecret,
  'secrets.rename': renameSecret,
  'secrets.import': importSecrets,
  'secrets.rollback': rollbackSecret,
  'fields.put': putField,
  'fields.putMany': putFields,
  'passwords.generate': generatePassword,
  'tokens.create': createToken,
  'tokens.rotate': rotateToken,
};

type Operations = Readonly<Record<WriteOperation, Handler<WritableVault>>>;

/** Every operation; made once. */
let allOperations: Operations | null = null;

async function loadOperations(batch: Batch): Promise<Partial<Operations>> {
  if (!batch.some(({ operation }) => Object.hasOwn(parsedOperations, operation))) return plainOperations;
  if (allOperations !== null) return allOperations;
  const bodies = await loadBodies();
  const names = Object.keys(parsedOperations) as ParsedOperation[];
  const parsed = Object.fromEntries(names.map((name) => [name, withBody(bodies, name)]));
  allOperations = { ...plainOperations, ...(parsed as Pick<Operations, ParsedOperation>) };
  return allOperations;
}

function withBody<Name extends ParsedOperation>(bodies: Bodies, name: Name): Handler<WritableVault> {
  const handler: BodyHandler<Name> = parsedOperations[name];
  return (open, call, reply) => {
    const request = bodies.parseRequest(name, call.body);
    try {
      return handler(open, call, reply, request);
    } finally {
      bodies.wipeRequest(request);
    }
  };
}

/** A control operation may wait (for a keychain, a key derivation) and manages its own transaction. */
const controls: Record<ControlOperation, (call: Call, reply: ReplyBuffer) => Promise<Outcome | undefined>> = {
  'vault.status': async (_call, reply) => {
    await reportStatus(vault, reply);
    return undefined;
  },
  'vault.unseal': async (call, reply) => unseal(vault, await readPassphrase(call), reply),
  'vault.resume': async (_call, reply) => resume(vault, reply),
  'vault.seal': async (_call, reply) => seal(vault, reply),
  'vault.init': async (call, reply) => {
    await createVault(vault.options, call, await readPassphrase(call), reply);
    return undefined;
  },
  'vault.inspect': async (_call, reply) => inspectVault(vault.options, reply),
  'vault.adopt': async (call, reply) => adoptVault(vault.options, call, reply),
  'vault.probeKeychain': async (_call, reply) => {
    await reportKeychain(vault.options, reply);
    return undefined;
  },
  'keys.rotate': async (call, reply) => {
    vault.checkWritable();
    return rotateKek(vault, await readPassphrase(call), reply);
  },
  'vault.destroy': async (call, reply) => {
    const bodies = await loadBodies();
    return destroyVault(vault, bodies.parseRequest('vault.destroy', call.body), reply);
  },
};

/** Returns the passphrase that a call brings, or null. The operation zeroes it. */
async function readPassphrase({ body }: Call): Promise<Uint8Array | null> {
  if (body === null) return null;
  return (await loadBodies()).parseRequest('vault.unseal', body).passphrase ?? null;
}

function isControl(call: Call | undefined): call is Call & { operation: ControlOperation } {
  return call !== undefined && call.operation in controls;
}

async function write(batch: Batch, isLong: boolean): Promise<BatchResult> {
  purging?.start();
  const [first] = batch;
  if (first !== undefined && isReading(first)) return readBatch(vault, batch, isLong);
  const reply = new ReplyBuffer();
  const replies = (await runBatch(batch, reply)).map((each) => vault.noteDamage(each));
  wipeBodies(batch);
  indexing?.noteWrite();
  erasing?.noteWrite();
  return { bytes: reply.take(), replies };
}

async function runBatch(batch: Batch, reply: ReplyBuffer): Promise<Reply[]> {
  const [first] = batch;
  if (isControl(first)) return [await runControl(reply, () => controls[first.operation](first, reply))];
  try {
    const operations = await loadOperations(batch);
    // Nothing is awaited after this, so no other thread can take the keyring away before the commit.
    const open = await vault.getOpenVault();
    vault.checkWritable();
    return commitBatch(open, batch, operations, reply);
  } catch (error) {
    return failAll(batch, error);
  }
}

/**
 * Commits the batch as one transaction, so that all its calls share one sync of the disk. If the transaction itself fails,
 * nothing of it is stored. Each call then gets a transaction of its own, so that a call that is too large for the rest of
 * the disk does not make the others fail.
 */
function commitBatch(
  open: OpenVault,
  batch: Batch,
  operations: Partial<Operations>,
  reply: ReplyBuffer,
): Reply[] {
  try {
    return open.transactions.write(() => {
      const numbered = withVersions(open, batch);
      return batch.map((call) => runInSavepoint(numbered, call, operations, reply));
    });
  } catch (error) {
    reply.truncate(0);
    const failure = vault.noteDamage(toFailure(error));
    if (batch.length === 1 || failure.damage !== undefined) return batch.map(() => failure);
  }
  return batch.map((call) => {
    const offset = reply.length;
    try {
      vault.checkWritable();
      return open.transactions.write(() => runInSavepoint(open, call, operations, reply));
    } catch (error) {
      reply.truncate(offset);
      return vault.noteDamage(toFailure(error));
    }
  });
}

/** Whether a call of the operation mostly stores one value, which takes one version. */
const TAKES_ONE_VERSION: Readonly<Record<WriteOperation, boolean>> = {
  'secrets.put': true,
  'secrets.patch': true,
  'secrets.delete': false,
  'secrets.rename': false,
  'secrets.accept': false,
  'secrets.import': false,
  'secrets.rollback': false,
  'secrets.restore': false,
  'secrets.purge': false,
  'fields.put': true,
  'fields.putMany': false,
  'fields.delete': false,
  'values.put': true,
  'fieldValues.put': true,
  'passwords.generate': false,
  'tokens.create': false,
  'tokens.rotate': false,
  'tokens.revoke': false,
  'tokens.touch': false,
  'tokens.reserve': false,
};

/** What an operation calls the versions of secrets that it makes; null if it makes none. */
const CHANGES: Readonly<Record<WriteOperation, Change | null>> = {
  'secrets.put': 'set',
  'secrets.patch': 'edit',
  'secrets.delete': 'delete',
  'secrets.rename': 'rename',
  'secrets.accept': null,
  'secrets.import': 'import',
  'secrets.rollback': 'rollback',
  'secrets.restore': 'restore',
  'secrets.purge': null,
  'fields.put': 'fields',
  'fields.putMany': 'fields',
  'fields.delete': 'fields',
  'values.put': 'set',
  'fieldValues.put': 'fields',
  'passwords.generate': 'generate',
  'tokens.create': null,
  'tokens.rotate': null,
  'tokens.revoke': null,
  'tokens.touch': null,
  'tokens.reserve': null,
};

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

/** A call that fails leaves nothing of itself in the batch's transaction. */
function runInSavepoint(
  open: OpenVault,
  call: Call,
  operations: Partial<Operations>,
  reply: ReplyBuffer,
): Reply {
  const operation = call.operation as WriteOperation;
  const handle = operations[operation];
  const change = CHANGES[operation];
  if (handle === undefined) throw new RangeError('no such operation of the writer');
  const result = runCall(reply, () =>
    open.transactions.write(() => {
      checkWanted(call);
      const limited = limitVault({ ...open, author: call.author ?? open.author, change }, call.limits);
      const outcome = handle(limited, call, reply);
      // The last moment before the commit: if the call was cancelled, its savepoint is rolled back.
      checkWanted(call);
      return outcome;
    }),
  );
  // After some errors SQLite has rolled back the whole transaction by itself, with the calls before this one. And a file that
  // turned out to be damaged must not get the writes of the others.
  if (!result.ok && (!open.db.inTransaction || result.damage !== undefined))
    throw new LostTransactionError(result);
  return result;
}

export default serveThread(write, (port) => vault.connect(port));
