/**
 * Key slots: listing, adding and removing them, and changing a passphrase. Holds the root key from opening a slot until the new
 * one is made and has been opened, and passphrases until they are tried; all are zeroed.
 */
import type { BodyRequest } from '../bodies/schemas.ts';
import type { Outcome } from '../calls.ts';
import { RequestError } from '../errors/request-error.ts';
import { decodeRecoveryCode, generateRecoveryCode } from '../generated/recovery-code.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import { formatTime } from '../json/times.ts';
import type { KnownSlot } from '../messages.ts';
import type { SlotRow } from '../store/columns.ts';
import type { Vault } from '../vault.ts';
import { placeSlot } from './new-slots.ts';
import {
  announce,
  changeAlone,
  commitChange,
  finishEarlier,
  removeMaterial,
  settle,
} from './slot-changes.ts';

/** Writes `{"keys": [{"id", "kind", "location", "created_at"}, …]}`. Needs no key. */
export function listKeys(vault: Vault, reply: ReplyBuffer): undefined {
  const { vault: rows, transactions } = vault.currentStores;
  const slots = transactions.snapshot(() => {
    vault.checkStillKnown();
    return rows.listSlots();
  });
  const keys = slots.map(({ id, kind, location, createdAt }) => ({
    ...{ id, kind, location },
    created_at: formatTime(createdAt),
  }));
  reply.raw(JSON.stringify({ keys }));
}

/** Writes `{"recovery_code"}`: 24 words that open nothing yet. Nothing is kept of them. */
export function makeRecoveryCode(reply: ReplyBuffer): undefined {
  const code = generateRecoveryCode();
  reply.ascii('{"recovery_code":');
  reply.secret(code);
  reply.ascii('}');
  code.fill(0);
}

/** Adds a slot. Every secret of the request is zeroed by the caller. */
export function addKey(vault: Vault, request: BodyRequest<'keys.add'>, reply: ReplyBuffer): Promise<Outcome> {
  return changeAlone(async () => {
    const { kind, key_file: keyFile, key_directory: keyDirectory } = request;
    await finishEarlier(vault);
    if (kind === 'keychain' && vault.stores.vault.listSlots().some((slot) => slot.kind === kind))
      throw new RequestError('conflict', 'the vault has a keychain slot already; remove that one first');
    const recoveryCode =
      request.recovery_code === undefined ? null : decodeRecoveryCode(request.recovery_code);
    const { rootKey } = await vault.openSlots({ passphrase: request.passphrase });
    try {
      const passphrase = request.new_passphrase ?? null;
      const wanted = { kind, keyFile, keyDirectory, passphrase, recoveryCode };
      const { id, location } = await placeSlot(vault, rootKey, wanted);
      reply.raw(JSON.stringify({ status: 'added', id, kind, location }));
      return {};
    } finally {
      rootKey.fill(0);
      recoveryCode?.fill(0);
    }
  });
}

/** Parameter `id`. Another slot has to open before this one goes. What is in its key store is deleted after the commit. */
export function removeKey(
  vault: Vault,
  id: string,
  { passphrase }: BodyRequest<'keys.remove'>,
  reply: ReplyBuffer,
): Promise<Outcome> {
  return changeAlone(async () => {
    const finished = await finishEarlier(vault);
    const slots = vault.stores.vault.listSlots();
    const slot = slots.find((one) => one.id === id);
    const removed = slot === undefined ? null : await removeSlot(vault, slots, slot, passphrase ?? null);
    if (slot === undefined && !finished.includes(id))
      throw new RequestError('not_found', 'the vault has no such key slot; list them with: mav key list');
    reply.raw(JSON.stringify({ status: 'removed', id, key_kept: removed }));
    return removed === null ? {} : { warning: `keys.remove: ${removed}` };
  });
}

/** Returns why the key store did not let go of the key; null if the key is gone. */
async function removeSlot(
  vault: Vault,
  slots: readonly SlotRow[],
  slot: SlotRow,
  passphrase: Uint8Array | null,
): Promise<string | null> {
  refuseLast(slots, slot);
  if (slot.kind !== 'recovery') (await vault.openSlots({ passphrase }, slot.id)).rootKey.fill(0);
  const { id, kind, location } = slot;
  const known: KnownSlot = { id, kind, location };
  announce(vault, [known]);
  try {
    commitChange(vault, { removed: [id] });
  } catch (error) {
    settle(vault);
    throw error;
  }
  const kept = await removeMaterial(vault, slot);
  settle(vault, kept === null ? [] : [{ ...known, pending: true }]);
  return kept;
}

/** A recovery code alone is not enough: it would have to be typed each day. */
function refuseLast(slots: readonly SlotRow[], { id, kind }: SlotRow): void {
  const others = slots.filter((slot) => slot.id !== id && slot.kind !== 'recovery');
  if (kind !== 'recovery' && others.length === 0)
    throw new RequestError(
      'conflict',
      "it is the vault's only key, beside a recovery code at most; add another first, with: mav key add",
    );
}

/** Puts a slot under the new passphrase in the place of the one that the old passphrase opens. */
export function changePassphrase(
  vault: Vault,
  request: BodyRequest<'keys.changePassphrase'>,
  reply: ReplyBuffer,
): Promise<Outcome> {
  return changeAlone(async () => {
    await finishEarlier(vault);
    if (!vault.stores.vault.listSlots().some(({ kind }) => kind === 'passphrase'))
      throw new RequestError('conflict', 'the vault has no passphrase; add one with: mav key add passphrase');
    const { rootKey, slotId } = await vault.openSlots({ passphrase: request.passphrase });
    try {
      const wanted = { kind: 'passphrase', passphrase: request.new_passphrase, replaced: [slotId] } as const;
      const { id } = await placeSlot(vault, rootKey, wanted);
      writeStatus('changed', { id }, reply);
      return {};
    } finally {
      rootKey.fill(0);
    }
  });
}
