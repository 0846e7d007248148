/**
 * The `recovery` slot: the root key lies in the database, wrapped under a key from a recovery code. It opens only for somebody
 * who gives the code, never by itself. The code and the root key belong to the caller.
 */
import { IntegrityError } from '../../envelope/integrity.ts';
import { unwrapForRecovery, wrapForRecovery } from '../../envelope/recovery-slot.ts';
import { encodeSlotContext } from '../../envelope/slot-mac.ts';
import { RequestError } from '../../errors/request-error.ts';
import { SealedError } from '../../errors/sealed.ts';
import type { KeySlot } from './key-slot.ts';

const KIND = 'recovery';

export const recoverySlot: KeySlot & { readonly kind: typeof KIND } = {
  kind: KIND,

  planLocation() {
    return null;
  },

  async create({ id, vaultId, rootKey, recoveryCode }) {
    if (recoveryCode === null) throw new RequestError('bad_request', 'a recovery_code is needed');
    const blob = wrapForRecovery(recoveryCode, rootKey, encodeSlotContext(vaultId, { id, kind: KIND }));
    return { blob, undo: async () => {} };
  },

  async open(slot, vaultId, { recoveryCode }) {
    if (recoveryCode === null) throw new SealedError('unusable', 'the vault needs its recovery code');
    try {
      return unwrapForRecovery(recoveryCode, slot.blob ?? new Uint8Array(), encodeSlotContext(vaultId, slot));
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      throw new SealedError('unusable', 'the recovery code is not that of this vault');
    }
  },

  isRemovable() {
    return true;
  },

  /** There is nothing to remove: the wrapped key is deleted together with its row. */
  async remove() {
    return true;
  },
};
