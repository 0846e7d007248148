/**
 * Decrypts values for whoever sent the request. Nothing else decrypts a value that leaves the thread, so what is disclosed is
 * noted here, once for every route. The value goes straight into the caller's memory, and the caller zeroes it.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import type { ReadableVault } from '../open-vault.ts';
import type { FieldRow, SecretRow } from '../store/columns.ts';
import { OWN_VALUE } from './access.ts';
import { NEVER_ASKED } from './confirm.ts';
import { isGenuineVersion } from './deletions.ts';
import { putOffIfLong, putOffIfMany } from './entry-size.ts';
import { asBoundField, noSuchField } from './fields.ts';
import { fieldPlace, secretPlace } from './places.ts';
import { decryptRow, type MakeRoom } from './row-crypto.ts';

/**
 * Decrypts a secret's own value as `decryptRow` does; null if it has none. Throws IntegrityError, and NeedsApprovalError
 * if the owner has to be asked.
 */
export function discloseValue<Room extends Uint8Array>(
  vault: ReadableVault,
  secret: SecretRow & BoundRow,
  makeRoom: MakeRoom<Room>,
): Room | null {
  if (secret.payload !== null) requireApproval(vault, secret, OWN_VALUE);
  const value = decryptRow(vault.keyring, secretPlace(secret), secret, makeRoom);
  if (value !== null) vault.touched.noteRead(secret, OWN_VALUE);
  return value;
}

/** As discloseValue, for a field of that secret. Throws RequestError `not_found`, too. */
export function discloseField<Room extends Uint8Array>(
  vault: ReadableVault,
  secret: SecretRow,
  field: string,
  makeRoom: MakeRoom<Room>,
): Room {
  const row = vault.access.allowsField(field) ? vault.fields.findField(secret.id, field) : null;
  if (row === null) throw noSuchField();
  putOffIfLong(vault, row.payload);
  verifyTerms(vault, secret);
  return discloseFieldRow(vault, secret, row, makeRoom);
}

/**
 * Throws IntegrityError if the secret's row was changed without the key. Only that row says whether the owner is to be asked
 * for its fields. Call it before a field is disclosed without the row.
 */
export function verifyTerms(vault: ReadableVault, secret: SecretRow): void {
  // An old version was verified when it was looked for.
  if (vault.asksToday !== undefined) return;
  putOffIfMany(vault, secret.fieldCount);
  if (!isGenuineVersion(vault, secret)) throw new IntegrityError();
}

/** What the secret asks for today holds for its old versions, too. Nobody is asked because of a forged row. */
function requireApproval(vault: ReadableVault, row: SecretRow, field: string): void {
  const asks = Math.max(row.confirm, vault.asksToday ?? NEVER_ASKED);
  if (asks !== NEVER_ASKED) verifyTerms(vault, row);
  vault.approvals.demand(row, field, asks);
}

/** As discloseField, for a row that was read already, of a secret whose row is verified. */
export function discloseFieldRow<Room extends Uint8Array>(
  vault: ReadableVault,
  secret: SecretRow,
  field: FieldRow,
  makeRoom: MakeRoom<Room>,
): Room {
  requireApproval(vault, secret, field.field);
  const value = decryptRow(vault.keyring, fieldPlace(secret, field.field), asBoundField(field), makeRoom);
  if (value === null) throw new RangeError('a field has a value');
  vault.touched.noteRead(secret, field.field);
  return value;
}
