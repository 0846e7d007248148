/** Checks what the vault has beside secrets: the file itself, tokens, keys, slots and the audit log. Holds no value. */
import type { AuditLog } from '../audit/reading/segments.ts';
import { verifyLog } from '../audit/reading/verify-log.ts';
import type { CheckedRow, Position } from '../entries/checked-rows.ts';
import { findKeySlot } from '../keys/slots/registry.ts';
import type { DamagedRow } from '../messages.ts';
import type { ReadableVault } from '../open-vault.ts';
import { checkRows, describeRows, finish, finishSoon } from '../row-set/check-rows.ts';
import type { SlotRow } from '../store/columns.ts';
import { isGenuine } from '../tokens/token-macs.ts';

/** The most problems of the audit log that are named. */
const MAX_NAMED = 1_000;
/** The position behind a table that is checked in one step. */
const DONE: Position = ['done'];

/** Some milliseconds. */
const MAX_SLICES = 5;

/** The position between SQLite's check and that of the set of rows. */
export const ROWS_POSITION: Position = ['rows'];

/** SQLite's own check, that the indexes have what the tables have, and that no row was put back, dropped or added. */
export function* checkFile(
  { vault, rowSetRows, keyring, rowFindings }: ReadableVault,
  [done]: Position,
): Generator<CheckedRow> {
  if (done === undefined) {
    const damage = vault.findDamage();
    const problem = damage?.isOfFile === true ? 'unreadable' : 'changed';
    const damaged: DamagedRow[] =
      damage === null ? [] : [{ table: 'database', problem, detail: damage.what }];
    yield { position: ROWS_POSITION, rows: {}, bytes: 0, damaged };
  }
  if (done === DONE[0]) return;
  const steps = checkRows(rowSetRows, keyring);
  const found = rowFindings ?? (done === undefined ? finishSoon(steps, MAX_SLICES) : finish(steps));
  // There are many rows, so the next page has them alone, for which a thread compares them beside other requests.
  if (found === null) return yield { position: ROWS_POSITION, rows: {}, bytes: 0, damaged: [], isEnd: true };
  const detail = describeRows(found);
  const damaged: DamagedRow[] = detail === '' ? [] : [{ table: 'database', problem: 'changed', detail }];
  yield { position: DONE, rows: {}, bytes: 0, damaged };
}

/** In the order of their ids. A row that was written without the key grants nothing. */
export function* checkTokens(
  { tokens, keyring }: ReadableVault,
  [after = '']: Position,
): Generator<CheckedRow> {
  const rows = tokens.list().filter(({ id }) => id > String(after));
  for (const row of rows.sort((one, other) => (one.id < other.id ? -1 : 1))) {
    const { id } = row;
    const damaged: DamagedRow[] = isGenuine(keyring, row)
      ? []
      : [{ table: 'tokens', id, problem: 'changed' }];
    yield { position: [id], rows: { tokens: 1 }, bytes: 0, damaged };
  }
}

/**
 * The KEKs were unwrapped when the vault was unsealed, and are compared with what was stored then. A newer one belongs to a
 * rotation that is under way.
 */
export function* checkKeks({ vault, keyring }: ReadableVault, position: Position): Generator<CheckedRow> {
  if (position.length > 0) return;
  const rows = vault.listKeks();
  const newest = keyring.current.generation;
  const damaged = rows
    .filter(({ id, generation }) => generation <= newest && keyring.find(id)?.generation !== generation)
    .map(({ id }): DamagedRow => ({ table: 'keks', id: id.toString('hex'), problem: 'changed' }));
  yield { position: DONE, rows: { keks: rows.length }, bytes: 0, damaged };
}

/** Slots as far as they can be checked without their keys: only opening the vault with one shows that it works. */
export function* checkSlots({ vault }: ReadableVault, position: Position): Generator<CheckedRow> {
  if (position.length > 0) return;
  const rows = vault.listSlots();
  const damaged = rows
    .filter((row) => !isUsable(row))
    .map(({ id }): DamagedRow => ({ table: 'slots', id, problem: 'changed' }));
  yield { position: DONE, rows: { slots: rows.length }, bytes: 0, damaged };
}

function isUsable({ kind, blob, location }: SlotRow): boolean {
  if (findKeySlot(kind) === null) return false;
  if (kind === 'keychain') return true;
  return kind === 'file' ? location !== null : blob !== null && blob.length > 0;
}

export function* checkAudit(
  { audit }: { readonly audit: AuditLog },
  position: Position,
): Generator<CheckedRow> {
  if (position.length > 0) return;
  const { entries, problems } = verifyLog(audit, audit.listSegments());
  const damaged = problems.slice(0, MAX_NAMED).map(
    ({ segment, entry, problem }): DamagedRow => ({
      table: 'audit',
      id: entry ?? String(segment),
      problem: 'changed',
      detail: problem,
    }),
  );
  yield { position: DONE, rows: { audit: entries }, bytes: 0, damaged };
}
