/**
 * Handlers of fields. `writeField` decrypts a field straight into the reply. The caller zeroes the values of a request.
 */
import { getFieldName, getNamesOnly, getSecretName } from '../bodies/parameters.ts';
import type { BodyHandler, Handler } from '../calls.ts';
import { verifyTerms } from '../entries/disclose.ts';
import { changeSecret, getForWrite } from '../entries/entries.ts';
import { putOffIfLarge } from '../entries/entry-size.ts';
import { listAllHeads, loadFields, noSuchField, storeFields } from '../entries/fields.ts';
import { keepField } from '../entries/history.ts';
import { getAskedVersion } from '../entries/versions.ts';
import { writeField, writeFields } from '../entries/write-entry.ts';
import { writeStatus } from '../json/status.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';

export const listFields: Handler<ReadableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  const isNamesOnly = getNamesOnly(call);
  const { vault: at, row: secret } = getAskedVersion(vault, call, name);
  if (isNamesOnly) {
    reply.raw(
      JSON.stringify(
        listAllHeads(at, secret)
          .map(({ field }) => field)
          .filter(at.access.allowsField),
      ),
    );
    return;
  }
  putOffIfLarge(at, secret);
  verifyTerms(at, secret);
  writeFields(at, secret, loadFields(at, secret, reply).rows, reply);
};

export const getField: Handler<ReadableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  const field = getFieldName(call);
  const { vault: at, row } = getAskedVersion(vault, call, name);
  reply.ascii('{"name":');
  reply.string(name.name);
  reply.ascii(',"field":');
  reply.string(field);
  writeField(at, row, field, reply);
  reply.ascii('}');
};

export const putField: BodyHandler<'fields.put'> = (vault, call, reply, request) => {
  const name = getSecretName(call);
  const field = getFieldName(call);
  const { revision } = storeFields(vault, call, name, [[field, request.value]]);
  writeStatus('stored', { name: name.name, field, version: revision }, reply);
};

export const putFields: BodyHandler<'fields.putMany'> = (vault, call, reply, request) => {
  const name = getSecretName(call);
  const fields = Object.entries(request.fields);
  const { revision } = storeFields(vault, call, name, fields);
  writeStatus('stored', { name: name.name, field_count: fields.length, version: revision }, reply);
};

export const deleteField: Handler<WritableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  const field = getFieldName(call);
  const secret = getForWrite(vault, call, name);
  if (!vault.access.allowsField(field)) throw noSuchField();
  const { revision } = changeSecret(vault, secret, {
    changeFields: (until) => {
      keepField(vault, secret.id, field, until);
      if (!vault.writer.deleteField(secret.id, field)) throw noSuchField();
    },
  });
  writeStatus('deleted', { name: name.name, field, version: revision }, reply);
};
