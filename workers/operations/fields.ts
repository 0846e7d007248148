/**
 * Fields: named values inside a secret. Holds a value's plaintext between opening or parsing it and handing it on, as
 * bytes only. A field that changes wraps its secret's DEK anew too, because the secret's time of change is bound.
 */
import type { BodyHandler, Handler } from '../calls.ts';
import { checkEntrySize } from '../entries/entry-size.ts';
import { isVouchedFor, sealRow } from '../entries/row-crypto.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { Call } from '../messages.ts';
import { RequestError } from '../request-error.ts';
import type { FieldHead, SecretRow } from '../store/secrets.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';
import { getFieldName, getNamesOnly, getPlace } from './parameters.ts';
import {
  asBoundField,
  changeSecret,
  fieldPlaceOf,
  findForWrite,
  getForWrite,
  getSecretRow,
  listAllHeads,
  NO_METADATA,
  nowSeconds,
  openFieldRow,
  openFields,
  putOffIfLarge,
  putOffIfLong,
  type SecretChange,
  storeSecret,
  toAccepted,
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
  if (isNamesOnly) writeFieldNames(listAllHeads(vault, secret), reply);
  else writeFields(vault, secret, openFields(vault, secret, reply).rows, reply);
};

/** Nothing is opened for these. */
function writeFieldNames(fields: readonly FieldHead[], reply: ReplyBuffer): void {
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
  putOffIfLong(vault, row.payload);
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
  const id = existing?.id ?? storeSecret(vault, place, null, null, NO_METADATA);
  setFields(vault, id, fields);
  checkEntrySize(vault, id, 'fields');
}

/** Stores fields of a secret that is there, and binds them to it. Throws IntegrityError. */
export function setFields(
  vault: WritableVault,
  secretId: number,
  fields: readonly (readonly [field: string, value: Uint8Array])[],
  change: Omit<SecretChange, 'changeFields'> = {},
): void {
  const secret = vault.secrets.findById(secretId);
  if (secret === null) throw new RangeError('no such secret');
  const changeFields = () => {
    for (const [field, value] of fields) storeField(vault, secret, field, value);
  };
  changeSecret(vault, secret, { ...change, changeFields });
}

function storeField(vault: WritableVault, secret: SecretRow, field: string, value: Uint8Array): void {
  const now = nowSeconds();
  const place = fieldPlaceOf(secret, field);
  const row = vault.secrets.findField(secret.id, field);
  const isKnown = row !== null && isVouchedFor(vault.keyring, place, asBoundField(row));
  const { id, isTrusted } = vault.author;
  const bound = asBoundField({
    createdAt: isKnown ? row.createdAt : now,
    updatedAt: now,
    writtenBy: id,
    accepted: toAccepted(isTrusted),
  });
  const version = vault.nextVersion();
  const { wrappedDek, payload } = sealRow(vault.keyring, place, bound, version, value);
  if (payload === null) throw new RangeError('a field has a value');
  vault.writer.putField({ ...bound, secretId: secret.id, field, version, wrappedDek, payload });
}

export const deleteField: Handler<WritableVault> = (vault, call, reply) => {
  const place = getPlace(call);
  const field = getFieldName(call);
  const secret = getForWrite(vault, call, place);
  changeSecret(vault, secret, {
    changeFields: () => {
      if (!vault.writer.deleteField(secret.id, field)) throw noSuchField();
    },
  });
  writeStatus('deleted', { name: place.name, field }, reply);
};
