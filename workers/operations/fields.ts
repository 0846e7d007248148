/**
 * Fields: named values inside a secret. Holds a value's plaintext between opening or parsing it and handing it on, as
 * bytes only. A field that changes wraps its secret's DEK anew too, because the secret's time of change is bound.
 */
import type { BodyHandler, Handler } from '../calls.ts';
import type { Call } from '../messages.ts';
import type { ReplyBuffer } from '../reply.ts';
import { RequestError } from '../request-error.ts';
import type { FieldRow, SecretRow } from '../store/secrets.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';
import { checkEntrySize } from './entry-size.ts';
import { getFieldName, getNamesOnly, getPlace } from './parameters.ts';
import { keepCreatedAt, sealRow } from './sealing.ts';
import {
  changeSecret,
  fieldPlaceOf,
  findForWrite,
  getForWrite,
  getSecretRow,
  indexMetadata,
  listAllFields,
  type Metadata,
  NO_METADATA,
  nowSeconds,
  openFieldRow,
  placeOf,
  putOffIfLarge,
  writeFields,
  writeStatus,
  writeValue,
} from './secrets.ts';

function noSuchField(): RequestError {
  return new RequestError('not_found', 'no such field in this secret');
}

export const listFields: Handler<ReadableVault> = (vault, call, reply) => {
  const { name, environment } = getPlace(call);
  const isNamesOnly = getNamesOnly(call);
  const secret = getSecretRow(vault, name, environment);
  if (!isNamesOnly) putOffIfLarge(vault, secret);
  const fields = listAllFields(vault, secret);
  if (isNamesOnly) writeFieldNames(fields, reply);
  else writeFields(vault, secret, fields, reply);
};

/** Nothing is opened for these. */
function writeFieldNames(fields: readonly FieldRow[], reply: ReplyBuffer): void {
  reply.ascii('[');
  for (const [index, row] of fields.entries()) {
    if (index > 0) reply.ascii(',');
    reply.string(row.field);
  }
  reply.ascii(']');
}

export const getField: Handler<ReadableVault> = (vault, call, reply) => {
  const { name, environment } = getPlace(call);
  const field = getFieldName(call);
  const secret = getSecretRow(vault, name, environment);
  const value = openField(vault, secret, field);
  reply.ascii('{"name":');
  reply.string(name);
  reply.ascii(',"field":');
  reply.string(field);
  writeValue(value, reply);
  reply.ascii('}');
};

/** A field's value, which the caller zeroes. Throws RequestError `not_found` and IntegrityError. */
export function openField(vault: ReadableVault, secret: SecretRow, field: string): Buffer {
  const row = vault.secrets.findField(secret.id, field);
  if (row === null) throw noSuchField();
  return openFieldRow(vault, secret, row);
}

export const putField: BodyHandler<'fields.put'> = (vault, call, reply, request) => {
  const place = getPlace(call);
  const field = getFieldName(call);
  storeFields(vault, call, place, [[field, request.value]]);
  writeStatus('stored', { name: place.name, field }, reply);
};

export const putFields: BodyHandler<'fields.putMany'> = (vault, call, reply, request) => {
  const place = getPlace(call);
  const fields = Object.entries(request.fields);
  storeFields(vault, call, place, fields);
  writeStatus('stored', { name: place.name, field_count: fields.length }, reply);
};

/** Sets fields of a secret, which is created if there is none. Throws RequestError and IntegrityError. */
export function storeFields(
  vault: WritableVault,
  call: Call,
  place: { name: string; environment: string },
  fields: readonly (readonly [field: string, value: Uint8Array])[],
): void {
  const existing = findForWrite(vault, call, place);
  if (existing !== null) changeSecret(vault, existing, {});
  const secret = existing ?? createFieldsOnlySecret(vault, place, NO_METADATA);
  setFields(vault, secret, fields);
  checkEntrySize(vault, secret.id, 'fields');
}

/** Stores fields of a secret, new or not. The secret's own row is the caller's: it says when the secret changed. */
export function setFields(
  vault: WritableVault,
  secret: SecretIdentity,
  fields: readonly (readonly [field: string, value: Uint8Array])[],
): void {
  for (const [field, value] of fields) storeField(vault, secret, field, value);
  vault.writer.countFields(secret.id);
}

type SecretIdentity = Pick<SecretRow, 'id' | 'name' | 'environment'>;

/** An entry without a value of its own; its wrapped DEK seals nothing and binds the row. */
export function createFieldsOnlySecret(
  vault: WritableVault,
  place: { name: string; environment: string },
  metadata: Metadata,
): SecretIdentity {
  const now = nowSeconds();
  const bound = { metadata: metadata.text, createdAt: now, updatedAt: now };
  const id = vault.writer.put({
    id: null,
    name: place.name,
    environment: place.environment,
    ...bound,
    ...sealRow(vault.keyring, placeOf(place), bound, 0, null),
  });
  indexMetadata(vault, id, place, metadata, true);
  return { id, name: place.name, environment: place.environment };
}

function storeField(vault: WritableVault, secret: SecretIdentity, field: string, value: Uint8Array): void {
  const now = nowSeconds();
  const place = fieldPlaceOf(secret, field);
  const row = vault.secrets.findField(secret.id, field);
  const createdAt = keepCreatedAt(vault.keyring, place, row === null ? null : { ...row, metadata: '' }, now);
  const bound = { metadata: '', createdAt, updatedAt: now };
  const version = vault.nextVersion();
  const { wrappedDek, payload } = sealRow(vault.keyring, place, bound, version, value);
  if (payload === null) throw new RangeError('a field has a value');
  vault.writer.putField({
    secretId: secret.id,
    field,
    version,
    wrappedDek,
    payload,
    createdAt,
    updatedAt: now,
  });
}

export const deleteField: Handler<WritableVault> = (vault, call, reply) => {
  const place = getPlace(call);
  const field = getFieldName(call);
  const secret = getForWrite(vault, call, place);
  if (!vault.writer.deleteField(secret.id, field)) throw noSuchField();
  changeSecret(vault, secret, {});
  vault.writer.countFields(secret.id);
  writeStatus('deleted', { name: place.name, field }, reply);
};
