/**
 * Gives the vault a new root key: each key slot is made again with it, opened and compared, before one transaction puts the new slots
 * in the place of the old ones and wraps every KEK again. Until that commit the vault opens by the old slots, and then by the new
 * ones; what an interruption leaves in a key store is removed by the next change of slots. Holds both root keys, the passphrase and the
 * recovery code until then; all are zeroed.
 */
import { timingSafeEqual } from 'node:crypto';
import { basename, dirname, extname, join } from 'node:path';
import type { BodyRequest } from '../bodies/schemas.ts';
import { createRootKey, type RootKey } from '../envelope/keys.ts';
import { identifyRootKey } from '../envelope/root-key-id.ts';
import { isGenuineSlot } from '../envelope/slot-mac.ts';
import { BodyError, RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import { decodeRecoveryCode } from '../generated/recovery-code.ts';
import { rewrapKek } from '../keys/keyring.ts';
import type { KeySources, NewSlot } from '../keys/slots/key-slot.ts';
import { findPassphrase } from '../keys/slots/passphrase.ts';
import { findKeySlot } from '../keys/slots/registry.ts';
import type { KnownSlot, SlotKind } from '../messages.ts';
import type { StoreGeneration } from '../rotation/rotation.ts';
import type { SlotRow } from '../store/columns.ts';
import type { Vault } from '../vault.ts';
import { createSlotId, makeSlot, planSlot } from './new-slots.ts';
import { announce, changeAlone, finishEarlier, listPending } from './slot-changes.ts';

/** A key slot as the answer names it. */
type NamedSlot = Pick<SlotRow, 'id' | 'kind' | 'location'>;

/** What became of the key slots. */
export interface RenewedRootKey {
  readonly keys: readonly (NamedSlot & { readonly replaces: string })[];
  /** Recovery slots whose code was not given. */
  readonly dropped: readonly NamedSlot[];
  /** Slots of before whose key store did not let go of the old root key yet. */
  readonly kept: readonly NamedSlot[];
}

type Request = BodyRequest<'keys.rotate'>;

/** `store` is called with the new root key. Secrets of the request are zeroed by the caller. Throws RequestError and SealedError. */
export function renewRootKey(
  vault: Vault,
  request: Request,
  store: StoreGeneration,
): Promise<RenewedRootKey> {
  return changeAlone(async () => {
    const { passphrase = null, recovery_code: words } = request;
    const recoveryCode = words === undefined ? null : decodeRecoveryCode(words);
    try {
      await finishEarlier(vault);
      // The vault zeroes what it is given.
      const { rootKey } = await vault.openSlots({ passphrase: passphrase?.slice() });
      try {
        const given = { passphrase, recoveryCode, dropsRecovery: request.drop_recovery === true };
        return await renewSlots(vault, rootKey, await judgeSlots(vault, rootKey, given), store);
      } finally {
        rootKey.fill(0);
      }
    } finally {
      recoveryCode?.fill(0);
    }
  });
}

interface Given {
  readonly passphrase: Uint8Array | null;
  readonly recoveryCode: Uint8Array | null;
  readonly dropsRecovery: boolean;
}

interface Judged {
  readonly sources: KeySources;
  readonly renewed: readonly SlotRow[];
  readonly dropped: readonly SlotRow[];
}

/** Opens every slot. Throws RequestError, which names those that cannot be renewed: none goes unless the owner says so. */
async function judgeSlots(
  vault: Vault,
  rootKey: RootKey,
  { passphrase, recoveryCode, dropsRecovery }: Given,
): Promise<Judged> {
  // A credential is not ours to write.
  const sources = { ...vault.options, folder: vault.folder, passphrase, recoveryCode };
  const [renewed, dropped, problems]: [SlotRow[], SlotRow[], string[]] = [[], [], []];
  for (const slot of vault.stores.vault.listSlots()) {
    const problem = await findProblem(vault, rootKey, slot, sources);
    if (problem === null) renewed.push(slot);
    else if (slot.kind === 'recovery' && dropsRecovery) dropped.push(slot);
    else problems.push(describeProblem(slot, problem));
  }
  if (recoveryCode !== null && !renewed.some(({ kind }) => kind === 'recovery'))
    throw new BodyError('the recovery code is wrong: it is not that of this vault, or the vault has none', {
      member: 'recovery_code',
    });
  if (problems.length > 0)
    throw new RequestError('conflict', `nothing was changed, because ${problems.join(', and ')}`);
  return { sources, renewed, dropped };
}

/** Returns why the slot cannot be made again with another root key; null if it can. */
async function findProblem(
  vault: Vault,
  rootKey: RootKey,
  slot: SlotRow,
  sources: KeySources,
): Promise<string | null> {
  const vaultId = vault.stores.vault.getVaultId();
  if (!isGenuineSlot(rootKey, vaultId, slot)) return 'its row was changed without the key';
  const readable = slot.kind === 'file' ? { ...sources, credentialsDirectory: null } : sources;
  try {
    const opened = await findKeySlot(slot.kind)?.open(slot, vaultId, readable);
    const isSame = opened !== undefined && timingSafeEqual(opened, rootKey);
    opened?.fill(0);
    return isSame ? null : 'it does not hold the key of this vault';
  } catch (error) {
    if (!(error instanceof SealedError)) throw error;
    return error.message;
  }
}

function describeProblem({ id, kind }: SlotRow, problem: string): string {
  const name = `the key ${id} (${kind}) cannot be renewed`;
  if (kind === 'recovery') return `${name} without its words; give them, or drop it`;
  return `${name}: ${problem}; set that right, or run: mav key remove ${id}`;
}

interface PlannedSlot extends NewSlot {
  readonly kind: SlotKind;
  readonly replaces: SlotRow;
}

async function renewSlots(
  vault: Vault,
  rootKey: RootKey,
  { sources, renewed, dropped }: Judged,
  store: StoreGeneration,
): Promise<RenewedRootKey> {
  const fresh = createRootKey();
  const old = [...renewed, ...dropped];
  const planned: PlannedSlot[] = [];
  try {
    for (const slot of renewed) planned.push(planRenewed(vault, fresh, slot, sources));
    const { vaultId } = planned[0] as PlannedSlot;
    const [oldId, freshId] = [rootKey, fresh].map((key) => identifyRootKey(key, vaultId)) as [string, string];
    announce(vault, [...nameKnown(planned, freshId), ...nameKnown(old, oldId)]);
    const added: SlotRow[] = [];
    for (const slot of planned) added.push(await makeSlot(vault, slot.kind, slot));
    store(fresh, (rows) => {
      vault.checkStillKnown();
      for (const { id } of old) rows.deleteSlot(id);
      for (const slot of added) rows.insertSlot(slot);
      for (const kek of rows.listKeks()) rows.replaceKek(kek.id, rewrapKek(rootKey, fresh, vaultId, kek));
    });
  } catch (error) {
    await finishEarlier(vault).catch(() => {});
    throw error;
  } finally {
    fresh.fill(0);
    for (const { passphrase } of planned) if (passphrase !== sources.passphrase) passphrase?.fill(0);
  }
  return removeOld(vault, planned, dropped);
}

function nameKnown(slots: readonly NamedSlot[], rootKeyId: string): KnownSlot[] {
  return slots.map(({ id, kind, location }) => ({ id, kind, location, root_key_id: rootKeyId }));
}

function planRenewed(vault: Vault, fresh: RootKey, replaces: SlotRow, sources: KeySources): PlannedSlot {
  const { kind, location } = replaces;
  const id = createSlotId();
  const keyFile = location === null ? undefined : chooseNextName(location, id);
  const passphrase = kind === 'passphrase' ? findPassphrase(sources) : null;
  const recoveryCode = kind === 'recovery' ? sources.recoveryCode : null;
  return { ...planSlot(vault, fresh, { id, kind, keyFile, passphrase, recoveryCode }), kind, replaces };
}

/** Returns a path beside the file of before, which stays until the new one counts: `vault-0123abcd.key` after `vault.key`. */
function chooseNextName(location: string, id: string): string {
  const extension = extname(location);
  const stem = basename(location, extension).replace(/-[0-9a-f]{8}$/, '');
  return join(dirname(location), `${stem}-${id}${extension}`);
}

/** What happened stays done, even if the old slots cannot be removed yet: they hold a key that opens nothing any more. */
async function removeOld(
  vault: Vault,
  planned: readonly PlannedSlot[],
  dropped: readonly SlotRow[],
): Promise<RenewedRootKey> {
  await finishEarlier(vault).catch(() => {});
  const keys = planned.map((slot) => ({ ...nameSlot(slot), replaces: slot.replaces.id }));
  return { keys, dropped: dropped.map(nameSlot), kept: listPending(vault).map(nameSlot) };
}

function nameSlot({ id, kind, location }: NamedSlot): NamedSlot {
  return { id, kind, location };
}
