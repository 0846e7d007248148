/**
 * Handlers of values without JSON around them. A value is decrypted straight into the reply. A value to store is the
 * request's body, which the writer zeroes.
 */
import { getFieldName, getSecretName } from '../bodies/parameters.ts';
import type { Handler } from '../calls.ts';
import { OWN_VALUE } from '../entries/access.ts';
import { discloseField, discloseValue } from '../entries/disclose.ts';
import { changeSecret, findForWrite, NO_METADATA, storeSecret } from '../entries/entries.ts';
import { checkStoredSize, putOffIfLong } from '../entries/entry-size.ts';
import { storeFields, withFields } from '../entries/fields.ts';
import { entityTag } from '../entries/preconditions.ts';
import { getAskedVersion } from '../entries/versions.ts';
import { RequestError } from '../errors/request-error.ts';
import { writeStatus } from '../json/status.ts';
import type { Call } from '../messages.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';

export const getValue: Handler<ReadableVault> = (vault, call, reply) => {
  const { vault: at, row } = getAskedVersion(vault, call, getSecretName(call));
  if (!at.access.allowsField(OWN_VALUE)) throw noOwnValue();
  putOffIfLong(vault, row.payload);
  const value = discloseValue(at, withFields(at, row), (size) => reply.room(size));
  if (value === null) throw noOwnValue();
  return { etag: entityTag(row) };
};

function noOwnValue(): RequestError {
  return new RequestError('not_found', 'this secret has no value of its own');
}

export const getFieldValue: Handler<ReadableVault> = (vault, call, reply) => {
  const { vault: at, row } = getAskedVersion(vault, call, getSecretName(call));
  discloseField(at, row, getFieldName(call), (size) => reply.room(size));
  // The tag of the secret, which changes with each of its fields.
  return { etag: entityTag(row) };
};

/** Unlike the JSON form this keeps the metadata, which must then be genuine: changeSecret verifies the row. */
export const putValue: Handler<WritableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  const value = getBody(call);
  const existing = findForWrite(vault, call, name);
  const stored =
    existing === null
      ? storeSecret(vault, name, null, value, NO_METADATA)
      : changeSecret(vault, existing, { value });
  checkStoredSize(vault, stored, 'value');
  writeStatus('stored', { name: name.name, version: stored.revision }, reply);
};

export const putFieldValue: Handler<WritableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  const field = getFieldName(call);
  const { revision } = storeFields(vault, call, name, [[field, getBody(call)]]);
  writeStatus('stored', { name: name.name, field, version: revision }, reply);
};

function getBody({ body }: Call): Uint8Array<ArrayBuffer> {
  if (body === null || body.length === 0)
    throw new RequestError('bad_request', 'the body is the value and must not be empty');
  return body;
}
