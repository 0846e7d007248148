/**
 * Accepting: the owner says that an entry which a token wrote may be handed to programs unasked. Opens no value; each row
 * is wrapped again with what it now says.
 */
import type { Handler } from '../calls.ts';
import { rewrapRow } from '../entries/row-crypto.ts';
import type { FieldRow, SecretRow } from '../store/secrets.ts';
import type { WritableVault } from '../vault.ts';
import { getPlace } from './parameters.ts';
import { asBoundField, fieldPlaceOf, getForWrite, placeOf, toAccepted, writeStatus } from './secrets.ts';

/** Throws IntegrityError: what is accepted must be as somebody with the key stored it. Times and writers stay. */
export const acceptSecret: Handler<WritableVault> = (vault, call, reply) => {
  const place = getPlace(call);
  const row = getForWrite(vault, call, place);
  const fields = vault.secrets.listFields(row.id);
  const accepted = toAccepted(true);
  const before = { ...row, fields };
  const { wrappedDek } = rewrapRow(vault.keyring, placeOf(row), before, { ...before, accepted });
  vault.writer.put({ ...row, wrappedDek, accepted });
  for (const field of fields) acceptField(vault, row, field, accepted);
  writeStatus('accepted', { name: place.name }, reply);
};

function acceptField(vault: WritableVault, secret: SecretRow, row: FieldRow, accepted: number): void {
  const before = asBoundField(row);
  const place = fieldPlaceOf(secret, row.field);
  const { wrappedDek } = rewrapRow(vault.keyring, place, before, { ...before, accepted });
  vault.writer.putField({ ...row, secretId: secret.id, wrappedDek, accepted });
}
