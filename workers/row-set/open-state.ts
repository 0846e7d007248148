/** Opens the stored state of the set MAC. Holds the sums only during a call. */
import { openIfGenuine } from '../envelope/integrity.ts';
import { decryptState } from '../envelope/row-set.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { RowSetRow } from '../store/columns.ts';
import type { RowSetStore } from '../store/row-set.ts';
import { openRowSetKeys } from './row-set-keys.ts';
import { type AuditHead, RowSums, SUMS_SIZE } from './row-sums.ts';

/** Returns null if the row is missing, or was not made with the key. `sums` must not be used after the call. */
export function openState<T>(
  rows: RowSetStore,
  keyring: Keyring,
  use: (row: RowSetRow, sums: RowSums) => T,
): T | null {
  const row = rows.read();
  if (row === null) return null;
  const memory = keyring.allocate(SUMS_SIZE);
  try {
    return openIfGenuine(() => {
      const keys = openRowSetKeys(keyring, row.wrappedKey);
      try {
        decryptState(keys.stateKey, row.state, { vaultId: keyring.vaultId, ...row }, memory);
      } finally {
        keys.release();
      }
      return use(row, new RowSums(memory));
    });
  } finally {
    keyring.release(memory);
  }
}

/** Returns where the audit log ended at the last commit; null if none has written into it, or the state is not genuine. */
export function readAuditHead(rows: RowSetStore, keyring: Keyring): AuditHead | null {
  const head = openState(rows, keyring, (_row, sums) => sums.auditHead);
  return head === null || head.segment === 0 ? null : head;
}
