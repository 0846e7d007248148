/**
 * The writer thread: the only one that writes. Takes batches of writing calls, commits each as one transaction and
 * answers when that is on disk. Holds the keyring, and the plaintext of request bodies until they are sealed; every
 * body is zeroed when its batch is answered.
 */
import { workerData } from 'node:worker_threads';
import type { BodyOperation } from './bodies.ts';
import {
  type BodyHandler,
  failAll,
  finish,
  type Handler,
  type Moved,
  type Outcome,
  runCall,
  runControl,
  wipeBodies,
} from './calls.ts';
import { LostTransactionError, toFailure } from './failures.ts';
import { probeKeychain } from './keys/slots/keychain.ts';
import type { Batch, Call, ControlOperation, Reply, WorkerOptions, WriteOperation } from './messages.ts';
import { destroyVault } from './operations/destroy.ts';
import { deleteField, putField, putFields } from './operations/fields.ts';
import { importSecrets } from './operations/import.ts';
import { rotateKek } from './operations/keys.ts';
import { createVault } from './operations/new-vault.ts';
import { generate } from './operations/passwords.ts';
import { renameSecret } from './operations/rename.ts';
import { deleteSecret, patchSecret, putSecret } from './operations/secrets.ts';
import { createToken, revokeToken, touchTokens } from './operations/tokens.ts';
import { putFieldValue, putValue } from './operations/values.ts';
import { reportStatus, seal, unseal } from './operations/vault.ts';
import { ReplyBuffer } from './reply.ts';
import type { Db } from './store/database.ts';
import { Vault, type WritableVault } from './vault.ts';

const vault = new Vault(workerData as WorkerOptions, 'writing');

/** Loaded while the thread has nothing else to do: the validation library takes longer than everything else here. */
const loadingBodies = import('./bodies.ts');
type Bodies = Awaited<typeof loadingBodies>;

function createOperations(bodies: Bodies): Record<WriteOperation, Handler<WritableVault>> {
  const withBody = <Name extends BodyOperation>(
    name: Name,
    handler: BodyHandler<Name>,
  ): Handler<WritableVault> => {
    return (open, call, reply) => {
      const request = bodies.parseRequest(name, call.body);
      try {
        return handler(open, call, reply, request);
      } finally {
        bodies.wipeRequest(request);
      }
    };
  };
  return {
    'secrets.put': withBody('secrets.put', putSecret),
    'secrets.patch': withBody('secrets.patch', patchSecret),
    'secrets.delete': deleteSecret,
    'secrets.rename': withBody('secrets.rename', renameSecret),
    'secrets.import': withBody('secrets.import', importSecrets),
    'fields.put': withBody('fields.put', putField),
    'fields.putMany': withBody('fields.putMany', putFields),
    'fields.delete': deleteField,
    'values.put': putValue,
    'fieldValues.put': putFieldValue,
    'passwords.generate': withBody('passwords.generate', generate),
    'tokens.create': withBody('tokens.create', createToken),
    'tokens.revoke': revokeToken,
    'tokens.touch': touchTokens,
  };
}

const loadingOperations = loadingBodies.then(createOperations);

/** A control operation may wait (for a keychain, a key derivation) and manages its own transaction. */
const controls: Record<
  ControlOperation,
  (call: Call, reply: ReplyBuffer, bodies: Bodies) => Promise<Outcome | undefined>
> = {
  'vault.status': async (_call, reply) => {
    reportStatus(vault, reply);
    return undefined;
  },
  'vault.unseal': (call, reply, bodies) =>
    unseal(vault, bodies.parseRequest('vault.unseal', call.body), reply),
  'vault.seal': async (_call, reply) => seal(vault, reply),
  'vault.init': async (call, reply, bodies) => {
    const { passphrase } = bodies.parseRequest('vault.unseal', call.body);
    await createVault(vault.options, call, passphrase ?? null, reply);
    return undefined;
  },
  'vault.probeKeychain': async (_call, reply) => {
    reply.raw(JSON.stringify({ problem: await probeKeychain(vault.options.keychainTimeoutMs) }));
    return undefined;
  },
  'keys.rotate': (call, reply, bodies) => {
    const { passphrase } = bodies.parseRequest('vault.unseal', call.body);
    return rotateKek(vault, passphrase ?? null, reply);
  },
  'vault.destroy': (call, reply, bodies) =>
    destroyVault(vault, bodies.parseRequest('vault.destroy', call.body), reply),
};

function isControl(call: Call | undefined): call is Call & { operation: ControlOperation } {
  return call !== undefined && call.operation in controls;
}

export default async function write(batch: Batch): Promise<Moved> {
  const reply = new ReplyBuffer();
  const replies = await answer(batch, reply);
  wipeBodies(batch);
  return finish(reply, replies);
}

async function answer(batch: Batch, reply: ReplyBuffer): Promise<Reply[]> {
  const [first] = batch;
  if (isControl(first)) {
    const bodies = await loadingBodies;
    return [await runControl(reply, () => controls[first.operation](first, reply, bodies))];
  }
  try {
    const operations = await loadingOperations;
    // The last thing awaited: from here to the commit no other thread can take the keyring away.
    const open = await vault.use();
    return commitBatch(vault.stores.db, open, batch, operations, reply);
  } catch (error) {
    return failAll(batch, error);
  }
}

type Operations = Awaited<typeof loadingOperations>;

/**
 * One transaction for the whole batch, so that all its calls share one sync of the disk. When the transaction itself
 * fails, nothing of it is stored; each call then gets one of its own, so that one too large for what is left of the
 * disk does not sink the others.
 */
function commitBatch(
  db: Db,
  open: WritableVault,
  batch: Batch,
  operations: Operations,
  reply: ReplyBuffer,
): Reply[] {
  try {
    return db
      .transaction(() => batch.map((call) => runInSavepoint(db, open, call, operations, reply)))
      .immediate();
  } catch (error) {
    reply.truncate(0);
    if (batch.length === 1) return failAll(batch, error);
  }
  return batch.map((call) => {
    const offset = reply.length;
    try {
      return db.transaction(() => runInSavepoint(db, open, call, operations, reply)).immediate();
    } catch (error) {
      reply.truncate(offset);
      return toFailure(error);
    }
  });
}

/** A call that fails leaves nothing of itself in the batch's transaction. */
function runInSavepoint(
  db: Db,
  open: WritableVault,
  call: Call,
  operations: Operations,
  reply: ReplyBuffer,
): Reply {
  const handle = operations[call.operation as WriteOperation];
  const result = runCall(reply, () => db.transaction(() => handle(open, call, reply))());
  // After some errors SQLite has rolled the whole transaction back by itself; the calls before this one are gone too.
  if (!db.inTransaction && !result.ok) throw new LostTransactionError(result);
  return result;
}
