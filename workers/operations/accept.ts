/**
 * The handler of accepting: the owner declares that programs may get an entry that a token wrote. Decrypts no value; each
 * row's DEK is wrapped again for the row with its new state.
 */

import { getSecretName } from '../bodies/parameters.ts';
import type { Handler } from '../calls.ts';
import { getForWrite } from '../entries/entries.ts';
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, secretPlace } from '../entries/places.ts';
import { rewrapRow } from '../entries/row-crypto.ts';
import { writeStatus } from '../json/status.ts';
import type { WritableVault } from '../open-vault.ts';
import type { FieldRow, SecretRow } from '../store/columns.ts';

/** Keeps times and writers. Throws IntegrityError if the entry was changed without the key. */
export const acceptSecret: Handler<WritableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  const row = getForWrite(vault, call, name);
  const fields = vault.secrets.listFields(row.id);
  const accepted = 1;
  const before = { ...row, fields };
  const { wrappedDek } = rewrapRow(vault.keyring, secretPlace(row), before, { ...before, accepted });
  vault.writer.put({ ...row, wrappedDek, accepted }, false);
  for (const field of fields) acceptField(vault, row, field, accepted);
  vault.noteChange(name, row.revision, 'accept');
  writeStatus('accepted', { name: name.name }, reply);
};

function acceptField(vault: WritableVault, secret: SecretRow, row: FieldRow, accepted: number): void {
  const before = asBoundField(row);
  const place = fieldPlace(secret, row.field);
  const { wrappedDek } = rewrapRow(vault.keyring, place, before, { ...before, accepted });
  vault.writer.putField({ ...row, secretId: secret.id, wrappedDek, accepted });
}
