/**
 * The handler that gives a secret another name or environment. Every envelope is bound to both, so the value and each field
 * are decrypted and encrypted again. row-crypto.ts holds one plaintext at a time, as bytes, and zeroes it.
 */

import { getSecretName } from '../bodies/parameters.ts';
import type { BodyHandler } from '../calls.ts';
import { getForWrite, indexMetadata } from '../entries/entries.ts';
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, secretPlace } from '../entries/places.ts';
import { reencryptRow, verifyRow } from '../entries/row-crypto.ts';
import type { FieldVersion } from '../envelope/row-digest.ts';
import { RequestError } from '../errors/request-error.ts';
import { parseMetadata } from '../json/parse.ts';
import { writeStatus } from '../json/status.ts';
import { nowSeconds } from '../json/times.ts';
import type { SecretName } from '../messages.ts';
import type { FieldRow, SecretRow } from '../store/columns.ts';
import type { WritableVault } from '../vault.ts';

export const renameSecret: BodyHandler<'secrets.rename'> = (vault, call, reply, request) => {
  const from = getSecretName(call);
  const target: SecretName = { name: request.name, environment: request.environment ?? from.environment };
  if (target.name === from.name && target.environment === from.environment) {
    throw new RequestError('bad_request', 'the secret has this name in this environment already');
  }
  const row = getForWrite(vault, call, from);
  if (vault.secrets.find(target) !== null) {
    throw new RequestError('conflict', 'there is a secret of the new name in that environment');
  }
  moveSecret(vault, row, target);
  writeStatus('renamed', { ...target }, reply);
};

/** Throws IntegrityError unless the secret is as somebody with the key stored it. */
function moveSecret(vault: WritableVault, row: SecretRow, target: SecretName): void {
  const { id, metadata, createdAt } = row;
  const fields = vault.secrets.listFields(id);
  const from = { ...row, fields };
  verifyRow(vault.keyring, secretPlace(row), from);
  const moved = fields.map((field) => moveField(vault, row, field, target));
  const bound = {
    metadata,
    createdAt,
    updatedAt: nowSeconds(),
    writtenBy: vault.author.id,
    accepted: vault.author.isTrusted && row.accepted === 1 ? 1 : 0,
    fields: moved,
  };
  const version = row.payload === null ? 0 : vault.nextVersion();
  const encrypted = reencryptRow(vault.keyring, secretPlace(row), from, secretPlace(target), bound, version);
  vault.writer.rename(id, target);
  vault.writer.put({ id, ...target, ...bound, ...encrypted });
  indexMetadata(vault, id, target, parseMetadata(metadata), false);
}

/** The field itself does not change, so it keeps its times and its writer. */
function moveField(vault: WritableVault, secret: SecretRow, row: FieldRow, target: SecretName): FieldVersion {
  const { field } = row;
  const from = fieldPlace(secret, field);
  const to = fieldPlace(target, field);
  const bound = asBoundField(row);
  const version = vault.nextVersion();
  const { wrappedDek, payload } = reencryptRow(vault.keyring, from, bound, to, bound, version);
  if (payload === null) throw new RangeError('a field has a value');
  vault.writer.putField({ ...row, secretId: secret.id, version, wrappedDek, payload });
  return { field, version };
}
