/**
 * Writes entries into a reply as JSON. Each value is decrypted straight into the reply's memory and made a JSON string there.
 * After an error the caller truncates the reply, which zeroes what was written before.
 */

import { IntegrityError } from '../envelope/integrity.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import { isShownAsText, type ReplyBuffer } from '../json/reply.ts';
import { discardBytes } from '../json/secret-bytes.ts';
import { formatTime } from '../json/times.ts';
import type { SecretName } from '../messages.ts';
import type { ReadableVault } from '../open-vault.ts';
import type { FieldHead, FieldRow, SecretRow, SecretSummary } from '../store/columns.ts';
import { OWN_VALUE } from './access.ts';
import { NEVER_ASKED, nameConfirmation } from './confirm.ts';
import { discloseField, discloseFieldRow, discloseValue } from './disclose.ts';
import { NO_METADATA } from './entries.ts';
import { LARGE } from './entry-size.ts';
import { loadFields } from './fields.ts';
import { secretPlace } from './places.ts';
import { isVouchedFor, type MakeRoom } from './row-crypto.ts';

/** Writes a whole entry as a JSON object. May throw IntegrityError after it has written a part. */
export function writeEntry(vault: ReadableVault, row: SecretRow, reply: ReplyBuffer): void {
  const { access } = vault;
  const { heads: all, rows } = loadFields(vault, row, reply);
  const heads = access.isForFields ? all.filter(({ field }) => access.allowsField(field)) : all;
  writeNames(row, reply);
  const whole = { ...row, fields: all };
  if (!access.allowsField(OWN_VALUE)) verifyHead(vault, whole);
  else writeValue(reply, (makeRoom) => discloseValue(vault, whole, makeRoom));
  reply.raw(',"metadata":');
  reply.raw(row.metadata);
  if (heads.length > 0) {
    reply.ascii(',"fields":');
    writeFields(vault, row, rows, reply);
    reply.ascii(`,"field_count":${heads.length}`);
  }
  reply.raw(
    `,"created_at":"${formatTime(row.createdAt)}","updated_at":"${formatTime(row.updatedAt)}",` +
      `"written_by":${JSON.stringify(row.writtenBy)},"accepted":${row.accepted === 1}${describeTerms(row)},"version":${row.revision}`,
  );
  if (heads.length > 0) writeUnaccepted(heads, reply);
  reply.raw('}');
}

/** For a token that may not reach the value: the rest of the row is verified all the same. Throws IntegrityError. */
function verifyHead({ keyring }: ReadableVault, row: SecretRow & BoundRow): void {
  if (!isVouchedFor(keyring, secretPlace(row), row)) throw new IntegrityError();
}

/** Writes the beginning of a JSON object: the members `name` and `environment`. */
export function writeNames(row: SecretName, reply: ReplyBuffer): void {
  reply.raw(`{"name":${JSON.stringify(row.name)},"environment":${JSON.stringify(row.environment)}`);
}

/** Writes the member `unaccepted_fields`: fields that the owner neither wrote nor accepted, each with its writer. */
function writeUnaccepted(fields: readonly FieldHead[], reply: ReplyBuffer): void {
  const unaccepted = fields.filter(({ accepted }) => accepted !== 1);
  for (const [index, { field, writtenBy }] of unaccepted.entries()) {
    reply.ascii(index === 0 ? ',"unaccepted_fields":{' : ',');
    reply.string(field);
    reply.ascii(':');
    reply.string(writtenBy);
  }
  if (unaccepted.length > 0) reply.ascii('}');
}

/** Writes the members of a field's value. Throws RequestError `not_found` and IntegrityError. */
export function writeField(vault: ReadableVault, secret: SecretRow, field: string, reply: ReplyBuffer): void {
  writeValue(reply, (makeRoom) => discloseField(vault, secret, field, makeRoom));
}

/**
 * Writes a comma and the member `value`; if the value needs base64, the member `encoding` too. `decrypt` puts the value into
 * the reply's memory. If it returns null, there is none, and nothing is written.
 */
function writeValue(
  reply: ReplyBuffer,
  decrypt: (makeRoom: MakeRoom<Uint8Array>) => Uint8Array | null,
): void {
  const value = decrypt((size) => {
    reply.ascii(',"value":"');
    return reply.room(size);
  });
  if (value === null) return;
  if (isShownAsText(value)) reply.endText(value.length);
  else writeBase64(value.length, reply);
}

/** Ends a JSON string, and adds the member that says how to read it. */
function writeBase64(size: number, reply: ReplyBuffer): void {
  reply.endBase64(size);
  reply.ascii(',"encoding":"base64"');
}

/** Writes a JSON object of field names to values. */
export function writeFields(
  vault: ReadableVault,
  secret: SecretRow,
  fields: Iterable<FieldRow>,
  reply: ReplyBuffer,
): void {
  reply.ascii('{');
  let isFirst = true;
  for (const row of fields) {
    if (!vault.access.allowsField(row.field)) continue;
    if (!isFirst) reply.ascii(',');
    isFirst = false;
    reply.string(row.field);
    reply.ascii(':');
    writeFieldValue(vault, secret, row, reply);
    discardBytes(row.payload);
  }
  reply.ascii('}');
}

/** Writes a bare string or, if the value needs base64, an object. */
function writeFieldValue(vault: ReadableVault, secret: SecretRow, row: FieldRow, reply: ReplyBuffer): void {
  reply.ascii('"');
  const value = discloseFieldRow(vault, secret, row, (size) => reply.room(size));
  if (isShownAsText(value)) {
    reply.endText(value.length);
    return;
  }
  reply.insert('{"value":', value.length + 1);
  writeBase64(value.length, reply);
  reply.ascii('}');
}

/** Writes an element of a list, in one piece: a list has so many elements that each call counts. It has no value. */
export function writeSummary(vault: ReadableVault, row: SecretSummary, reply: ReplyBuffer): void {
  // A list unwraps no DEK, so nothing vouches for this text, and one bad row must not spoil the whole reply.
  const metadata = isJsonObject(vault, row.metadata) ? row.metadata : NO_METADATA.text;
  // How many of its fields a limited token may reach is not in the row.
  const fieldCount =
    row.fieldCount > 0 && !vault.access.isForFields ? `,"field_count":${row.fieldCount}` : '';
  reply.raw(
    `{"name":${JSON.stringify(row.name)},"environment":${JSON.stringify(row.environment)},"metadata":${metadata}` +
      `${fieldCount},"created_at":"${formatTime(row.createdAt)}","updated_at":"${formatTime(row.updatedAt)}",` +
      `"written_by":${JSON.stringify(row.writtenBy)},"accepted":${row.accepted === 1}${describeTerms(row)},"version":${row.revision}}`,
  );
}

/** Returns the members of the terms that a secret has, each with a comma before it. */
function describeTerms({ expiresAt, rotateBy, confirm }: SecretSummary): string {
  let terms = '';
  if (expiresAt !== 0) terms += `,"expires_at":"${formatTime(expiresAt)}"`;
  if (rotateBy !== 0) terms += `,"rotate_by":"${formatTime(rotateBy)}"`;
  if (confirm !== NEVER_ASKED) terms += `,"confirm":"${nameConfirmation(confirm)}"`;
  return terms;
}

/** Returns whether the text is a JSON object. SQLite checks a large text, which would fill the heap if it were parsed here. */
function isJsonObject({ secrets }: ReadableVault, text: string): boolean {
  if (text === NO_METADATA.text) return true;
  if (text.length > LARGE) return secrets.isJsonObject(text);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
