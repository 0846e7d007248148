/**
 * How far the user's account has seen each of its vaults: the epoch and the state of its set MAC (row_set), in a file of its own
 * beside the list of known vaults, outside of the vault's folder. A vault that is behind was put back from an older copy.
 *
 * It is written some time after the commits, never before, and no request waits for it. So after a crash it is behind the vault,
 * which says nothing.
 */
import { hash } from 'node:crypto';
import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RowSetRow } from '../store/columns.ts';

export interface KnownEpoch {
  readonly epoch: number;
  /** Unix seconds of the commit. */
  readonly writtenAt: number;
  /** The last 16 bytes of the state, in hexadecimal digits: they tell two commits of one epoch apart. */
  readonly tag: string;
}

const TAG_SIZE = 16;
const PLACE_DIGITS = 16;

export function tagOf({ state }: Pick<RowSetRow, 'state'>): string {
  return Buffer.from(state.subarray(-TAG_SIZE)).toString('hex');
}

/** Returns null if nothing is known, or the file says nothing that can be used: after a power failure it may be empty. */
export function readKnownEpoch(listPath: string, folder: string, vaultId: Uint8Array): KnownEpoch | null {
  try {
    const known = JSON.parse(readFileSync(locateEpoch(listPath, folder, vaultId), 'utf8'));
    const isSound =
      [known.epoch, known.written_at].every((number) => Number.isSafeInteger(number) && number >= 0) &&
      known.path === realpathSync(folder) &&
      typeof known.tag === 'string';
    return isSound ? { epoch: known.epoch, writtenAt: known.written_at, tag: known.tag } : null;
  } catch {
    return null;
  }
}

/** `isLast`: the process is about to end, and there is time to sync the file. Throws what the system says. */
export function writeKnownEpoch(
  listPath: string,
  folder: string,
  vaultId: Uint8Array,
  row: RowSetRow,
  isLast: boolean,
): void {
  const path = locateEpoch(listPath, folder, vaultId);
  const draft = `${path}.new`;
  const content = {
    path: realpathSync(folder),
    epoch: row.epoch,
    written_at: row.writtenAt,
    tag: tagOf(row),
  };
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx', flush: isLast });
  renameSync(draft, path);
}

/** Forgets how far a vault was seen: the next time that it is unsealed counts as the first. */
export function forgetEpoch(listPath: string, folder: string, vaultId: Uint8Array): void {
  rmSync(locateEpoch(listPath, folder, vaultId), { force: true });
}

/** A copy of the vault in another folder has a file of its own. */
function locateEpoch(listPath: string, folder: string, vaultId: Uint8Array): string {
  const id = Buffer.from(vaultId).toString('hex');
  const place = hash('sha256', realpathSync(folder)).slice(0, PLACE_DIGITS);
  return join(dirname(listPath), `${id}-${place}.epoch`);
}
