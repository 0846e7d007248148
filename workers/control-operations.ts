/**
 * The operations on the vault itself: making, unsealing, sealing, rotating its key, destroying it. Holds a passphrase or a
 * recovery code from reading it out of a request body until its operation zeroes it.
 */
import type { WriterLog } from './audit/writing/writer-log.ts';
import { loadBodies } from './bodies/load.ts';
import { getRotationKind } from './bodies/parameters.ts';
import type { BodyOperation, BodyRequest } from './bodies/schemas.ts';
import { type Outcome, runControl } from './calls.ts';
import { BodyError } from './errors/request-error.ts';
import { decodeRecoveryCode } from './generated/recovery-code.ts';
import type { ReplyBuffer } from './json/reply.ts';
import type { Call, ControlOperation, Reply, Success } from './messages.ts';
import { acceptRestore } from './operations/accept-restore.ts';
import { adoptVault, inspectVault } from './operations/adopt.ts';
import { confirmBackup, makeBackup } from './operations/backup.ts';
import { destroyVault } from './operations/destroy.ts';
import { forgetSegment } from './operations/forget-segment.ts';
import { rotateKek } from './operations/keys.ts';
import { createVault, reportKeychain } from './operations/new-vault.ts';
import { recoverVault } from './operations/recover.ts';
import { finishBeside } from './operations/slot-changes.ts';
import { addKey, changePassphrase, listKeys, makeRecoveryCode, removeKey } from './operations/slots.ts';
import { reportStatus, resume, seal, unseal } from './operations/vault.ts';
import type { Rotation } from './rotation/rotation.ts';
import type { GivenSecrets, Vault } from './vault.ts';

/** What a control operation works with, beside the vault. */
interface Means {
  readonly rotation: Rotation;
  readonly log: WriterLog;
  /** Records the call, for one that is to be recorded before it ends. */
  readonly record: (result: Reply) => Promise<void>;
}

/** A control operation may wait (for a keychain, a key derivation) and manages its own transaction. */
type ControlHandler = (
  vault: Vault,
  call: Call,
  reply: ReplyBuffer,
  means: Means,
) => Promise<Outcome | undefined>;

const controls: Record<ControlOperation, ControlHandler> = {
  'vault.status': async (vault, _call, reply) => {
    await reportStatus(vault, reply);
    return undefined;
  },
  'vault.unseal': async (vault, call, reply) => unseal(vault, await readGiven(call), reply),
  'vault.resume': async (vault, _call, reply) => resume(vault, reply),
  'vault.seal': async (vault, _call, reply) => seal(vault, reply),
  'vault.init': async (vault, call, reply) => {
    if (call.body === null) {
      await createVault(vault.options, call, {}, reply);
      return undefined;
    }
    const { parseRequest, wipeRequest } = await loadBodies();
    const request = parseRequest('vault.init', call.body);
    try {
      await createVault(vault.options, call, request, reply);
    } finally {
      wipeRequest(request);
    }
    return undefined;
  },
  'vault.inspect': async (vault, _call, reply) => inspectVault(vault.options, reply),
  'vault.adopt': async (vault, call, reply) => adoptVault(vault.options, call, reply),
  'vault.acceptRestore': async (vault, call, reply) =>
    acceptRestore(vault, call, await readPassphrase(call), reply),
  'vault.probeKeychain': async (vault, _call, reply) => {
    await reportKeychain(vault.options, reply);
    return undefined;
  },
  // Imported here: nobody else needs the room of the Go program's vault.
  'goVault.read': async (vault, call, reply) => {
    await (await import('./operations/go-vault.ts')).readGoVault(vault.options, call, reply);
    return undefined;
  },
  'goVault.replace': async (vault, call, reply) => {
    (await import('./operations/replace-go-vault.ts')).replaceGoVault(vault.options, call, reply);
    return undefined;
  },
  'keys.rotate': (vault, call, reply, { rotation, record }) => {
    const rotating = { vault, rotation, onBegun: () => record(DONE) };
    const kind = getRotationKind(call);
    return withRequest(vault, 'keys.rotate', call.body, (request) =>
      rotateKek(rotating, kind, request, reply),
    );
  },
  'vault.backup': async (vault, call, reply) => makeBackup(vault, call, await readPassphrase(call), reply),
  'keys.list': async (vault, _call, reply) => listKeys(vault, reply),
  'keys.add': (vault, { body }, reply) =>
    withRequest(vault, 'keys.add', body, (request) => addKey(vault, request, reply)),
  'keys.remove': (vault, { body, params }, reply) =>
    withRequest(vault, 'keys.remove', body, (request) => removeKey(vault, params.id ?? '', request, reply)),
  'audit.forget': async (_vault, { params }, reply, { log }) => forgetSegment(log, params.id ?? '', reply),
  'keys.newRecoveryCode': async (_vault, _call, reply) => makeRecoveryCode(reply),
  'vault.recover': (vault, { body }, reply) =>
    withRequest(vault, 'vault.recover', body, (request) => recoverVault(vault, request, reply)),
  'keys.changePassphrase': (vault, { body }, reply) =>
    withRequest(vault, 'keys.changePassphrase', body, (request) => changePassphrase(vault, request, reply)),
  'vault.confirmBackup': async (vault, call, reply) => confirmBackup(vault, call, reply),
  'vault.destroy': async (vault, call, reply) => {
    const bodies = await loadBodies();
    return destroyVault(vault, bodies.parseRequest('vault.destroy', call.body), reply);
  },
};

const DONE: Success = { ok: true, offset: 0, length: 0 };

/** Runs a change of the key slots, and zeroes the secrets of its request. */
async function withRequest<Name extends BodyOperation>(
  vault: Vault,
  name: Name,
  body: Uint8Array | null,
  change: (request: BodyRequest<Name>) => Promise<Outcome>,
): Promise<Outcome> {
  vault.checkWritable();
  const { parseRequest, wipeRequest } = await loadBodies();
  const request = parseRequest(name, body);
  try {
    return await change(request);
  } finally {
    wipeRequest(request);
  }
}

/** Returns what a call brings to open the vault with. The operation zeroes it. Throws BodyError. */
async function readGiven({ body }: Call): Promise<GivenSecrets> {
  if (body === null) return {};
  const { parseRequest, wipeRequest } = await loadBodies();
  const request = parseRequest('vault.unseal', body);
  const { passphrase, recovery_code: code } = request;
  if (code === undefined) return { passphrase };
  try {
    if (passphrase !== undefined) throw new BodyError('give one of passphrase and recovery_code');
    return { recoveryCode: decodeRecoveryCode(code) };
  } finally {
    wipeRequest(request);
  }
}

/** As readGiven, for an operation that takes a passphrase only. */
async function readPassphrase(call: Call): Promise<Uint8Array | null> {
  const { passphrase = null, recoveryCode } = await readGiven(call);
  if (recoveryCode == null) return passphrase;
  recoveryCode.fill(0);
  throw new BodyError('recovery_code does not belong here', { member: 'recovery_code' });
}

export type ControlCall = Call & { operation: ControlOperation };

export function isControl(call: Call | undefined): call is ControlCall {
  return call !== undefined && call.operation in controls;
}

/** After these there are keys. */
const UNSEALING: ReadonlySet<ControlOperation> = new Set(['vault.unseal', 'vault.resume', 'vault.recover']);

/** Runs a control operation, and records it while there is a key to record it with. */
export async function answerControl(
  vault: Vault,
  { log, rotation }: { readonly log: WriterLog; readonly rotation: Rotation },
  call: ControlCall,
  reply: ReplyBuffer,
): Promise<Reply> {
  const { operation } = call;
  let isRecorded = false;
  const record = async (result: Reply) => {
    if (!isRecorded) await log.recordControl(call, result);
    isRecorded = true;
  };
  if (operation === 'vault.seal') await log.recordSealing(call);
  const result = await runControl(reply, () =>
    controls[operation](vault, call, reply, { rotation, log, record }),
  );
  await record(result);
  if (UNSEALING.has(operation) && result.ok) {
    rotation.resume();
    if (vault.options.readers > 0) finishBeside(vault);
  }
  return result;
}
