/**
 * Fields: named values inside a secret. Encrypts values that the caller holds and zeroes. A field that changes also rewraps
 * its secret's DEK, which binds the time of change. Decrypts none (disclose.ts does).
 */

import { IntegrityError } from '../envelope/integrity.ts';
import { type BoundRow, type FieldVersion, NOT_A_SECRET } from '../envelope/row-digest.ts';
import { RequestError } from '../errors/request-error.ts';
import { base64Length } from '../json/base64.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { nowSeconds } from '../json/times.ts';
import type { Call, SecretName } from '../messages.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';
import type { FieldHead, FieldRow, SecretRow } from '../store/columns.ts';
import {
  changeSecret,
  findForWrite,
  NO_METADATA,
  type SecretChange,
  type Stored,
  storeSecret,
} from './entries.ts';
import { checkEntrySize, LARGE, measureEntry } from './entry-size.ts';
import { keepField } from './history.ts';
import { fieldPlace } from './places.ts';
import { encryptRow, isVouchedFor } from './row-crypto.ts';

const NO_FIELDS: readonly FieldVersion[] = [];

export function noSuchField(): RequestError {
  return new RequestError('not_found', 'no such field in this secret');
}

/** All fields of a secret. */
export interface Fields {
  readonly heads: readonly FieldHead[];
  /** Can be iterated once. */
  readonly rows: Iterable<FieldRow>;
}

/**
 * Reads the fields of a large entry one by one, and makes room for them in the reply first: then memory holds the reply
 * and one field, no more. Throws IntegrityError if the number of fields is not the secret's own count: a damaged page may
 * have lost some.
 */
export function loadFields(vault: ReadableVault, secret: SecretRow, reply: ReplyBuffer): Fields {
  if (secret.fieldCount === 0) return { heads: [], rows: [] };
  const { fields } = vault;
  const size = measureEntry(vault, secret);
  if (size <= LARGE) {
    const rows = checkFieldCount(secret, fields.listFields(secret.id));
    return { heads: rows, rows };
  }
  reply.expect(base64Length(size));
  return { heads: listAllHeads(vault, secret), rows: fields.readFields(secret.id) };
}

/** Returns the heads of all fields of a secret. Throws IntegrityError as loadFields does. */
export function listAllHeads({ fields }: ReadableVault, secret: SecretRow): readonly FieldHead[] {
  return checkFieldCount(secret, fields.listFieldHeads(secret.id));
}

function checkFieldCount<Head extends FieldHead>(
  { fieldCount }: SecretRow,
  fields: readonly Head[],
): readonly Head[] {
  if (fields.length !== fieldCount) throw new IntegrityError();
  return fields;
}

/**
 * Returns a secret's row with its present fields, as its wrap binds them. A row that counts no fields is taken at its word:
 * if it had some, the digest would differ from the bound one.
 */
export function withFields(vault: ReadableVault, row: SecretRow): SecretRow & BoundRow {
  return { ...row, fields: row.fieldCount === 0 ? NO_FIELDS : vault.fields.listFieldHeads(row.id) };
}

/** Returns a field's row as its wrap binds it. */
export function asBoundField<Row extends Omit<BoundRow, keyof typeof NOT_A_SECRET>>(
  row: Row,
): Row & typeof NOT_A_SECRET {
  return { ...row, ...NOT_A_SECRET };
}

/** Sets fields of a secret, and creates the secret if it is missing. Throws RequestError and IntegrityError. */
export function storeFields(
  vault: WritableVault,
  call: Call,
  name: SecretName,
  fields: readonly (readonly [field: string, value: Uint8Array])[],
): Stored {
  const existing = findForWrite(vault, call, name);
  const { id } = existing ?? storeSecret(vault, name, null, null, NO_METADATA);
  const stored = setFields(vault, id, fields, existing === null ? { continues: true } : {});
  checkEntrySize(vault, id, 'fields');
  return stored;
}

/** Stores fields of an existing secret and binds them to it. Throws IntegrityError. */
export function setFields(
  vault: WritableVault,
  secretId: number,
  fields: readonly (readonly [field: string, value: Uint8Array])[],
  change: Omit<SecretChange, 'changeFields'> = {},
): Stored {
  const secret = vault.secrets.findById(secretId);
  if (secret === null) throw new RangeError('no such secret');
  const changeFields = (revision: number) => {
    for (const [field, value] of fields) storeField(vault, secret, field, value, revision);
  };
  return changeSecret(vault, secret, { ...change, changeFields });
}

function storeField(
  vault: WritableVault,
  secret: SecretRow,
  field: string,
  value: Uint8Array,
  revision: number,
): void {
  if (!vault.access.allowsField(field)) throw noSuchField();
  const place = fieldPlace(secret, field);
  const row = vault.secrets.findField(secret.id, field);
  const isKnown = row !== null && isVouchedFor(vault.keyring, place, asBoundField(row));
  // Also one that was changed without the key: the versions that have it need it to be whole.
  if (row !== null) keepField(vault, secret.id, field, revision);
  const { id: writtenBy, isTrusted } = vault.author;
  const now = nowSeconds();
  const createdAt = isKnown ? row.createdAt : now;
  const bound = asBoundField({ createdAt, updatedAt: now, writtenBy, accepted: isTrusted ? 1 : 0, revision });
  const version = vault.nextVersion();
  const { wrappedDek, payload } = encryptRow(vault.keyring, place, bound, version, value);
  if (payload === null) throw new RangeError('a field has a value');
  vault.writer.putField({ ...bound, secretId: secret.id, field, version, wrappedDek, payload });
}
