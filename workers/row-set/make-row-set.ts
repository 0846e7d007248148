/** Makes the set MAC of a vault from the rows that it has: of a new vault, and of one whose owner accepts what is there. */
import { encryptState } from '../envelope/row-set.ts';
import { withSecretMemory } from '../envelope/secret-memory.ts';
import { nowSeconds } from '../json/times.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { RowSetRow } from '../store/columns.ts';
import type { RowSetStore } from '../store/row-set.ts';
import { sumRows } from './count-rows.ts';
import { mintSetKey, openRowSetKeys } from './row-set-keys.ts';
import { type AuditHead, RowSums, SUMS_SIZE } from './row-sums.ts';

/**
 * Stores a new key and the sums of all rows, as of `epoch`. Runs inside a transaction. `auditHead`: absent where the writer has
 * no audit log yet.
 */
export function makeRowSet(
  rows: RowSetStore,
  keyring: Keyring,
  epoch: number,
  auditHead?: AuditHead,
): RowSetRow {
  const wrappedKey = mintSetKey(keyring);
  const keys = openRowSetKeys(keyring, wrappedKey);
  const head = { vaultId: keyring.vaultId, epoch, writtenAt: nowSeconds() };
  try {
    const state = withSecretMemory(SUMS_SIZE, (memory) => {
      const sums = new RowSums(memory);
      for (const _ of sumRows(rows, keys, sums));
      if (auditHead !== undefined) sums.auditHead = auditHead;
      return encryptState(keys.stateKey, memory, head);
    });
    const row = { epoch, writtenAt: head.writtenAt, wrappedKey, state };
    rows.replace(row);
    return row;
  } finally {
    keys.release();
  }
}
