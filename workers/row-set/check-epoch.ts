/** Refuses a vault that was put back whole from an older copy. Its rows are genuine, and so is its set MAC. */
import { SealedError } from '../errors/sealed.ts';
import { formatTime } from '../json/times.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { RowSetRow } from '../store/columns.ts';
import type { RowSetStore } from '../store/row-set.ts';
import { type KnownEpoch, tagOf } from './known-epochs.ts';
import { openState } from './open-state.ts';

/** What a vault is, beside what is known of it. */
export interface Behind {
  /** Unix seconds of its last commit; null if what it says of its rows was changed without the key. */
  readonly from: number | null;
  /** By how many commits it is older; 0: it has others in place of the last ones. */
  readonly commits: number;
}

/** Returns null if the vault is what was seen last, or newer, or nothing is known. */
export function findBehind(rows: RowSetStore, keyring: Keyring, known: KnownEpoch | null): Behind | null {
  if (known === null) return null;
  const row = readGenuine(rows, keyring);
  if (row === null) return { from: null, commits: 0 };
  if (row.epoch > known.epoch || (row.epoch === known.epoch && tagOf(row) === known.tag)) return null;
  return { from: row.writtenAt, commits: known.epoch - row.epoch };
}

/** Throws SealedError if the vault is behind what is known. */
export function refuseBehind(path: string, behind: Behind | null, known: KnownEpoch | null): void {
  if (behind === null || known === null) return;
  const { from, commits } = behind;
  const last = `the last commit that this account saw is from ${formatTime(known.writtenAt)}`;
  if (from === null)
    throw new SealedError(
      'restored',
      `what ${path} says of its own rows was changed without the key; ${last}`,
    );
  const how = commits > 0 ? `${commits} commits older` : 'with another last commit';
  throw new SealedError('restored', `${path} is a copy from ${formatTime(from)}, ${how}: ${last}`);
}

/** Returns the stored row; null if it is missing, or was not made with the key. */
export function readGenuine(rows: RowSetStore, keyring: Keyring): RowSetRow | null {
  return openState(rows, keyring, (row) => row);
}
