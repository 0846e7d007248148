/**
 * Measures entries and bounds their size. Writing checks the bound, so that everything stored can also be read, exported and
 * imported again.
 */

import { PAYLOAD_OVERHEAD } from '../envelope/payload.ts';
import { quoteName, RequestError } from '../errors/request-error.ts';
import type { EntryLimits } from '../messages.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';
import type { SecretRow } from '../store/columns.ts';

/** Bytes. An entry of this size takes a reader as long as a batch of ordinary ones. */
export const LARGE = 65_536;

/** So many fields take a reader as long to list as a batch of ordinary entries takes to read. */
const MANY = 500;

/** Limits of one entry, unless config.json sets lower ones. `bytes` counts value, fields and metadata together. */
const ENTRY_LIMITS: EntryLimits = { fields: 1_000, bytes: 8_388_608 };

/** Bytes. A PATCH can bring metadata too, and parsing it takes many times its size in memory. */
const MAX_METADATA_BYTES = 1_048_576;

/** The API's name for the part that makes an entry too large. */
type Member = 'value' | 'fields' | 'metadata';

/** As checkEntrySize, for what was just stored: an entry without fields need not be measured. */
export function checkStoredSize(
  vault: WritableVault,
  { id, bytes }: { readonly id: number; readonly bytes: number | null },
  member: Member,
): void {
  if (bytes === null) checkEntrySize(vault, id, member);
  else checkSize(vault, { fields: 0, bytes }, member);
}

/** Runs after a write, inside its transaction. Throws RequestError `too_large`; the caller then rolls back. */
export function checkEntrySize(vault: WritableVault, secretId: number, member: Member): void {
  const { fields, values, bytes } = vault.secrets.measure(secretId);
  checkSize(vault, { fields, bytes: bytes - values * PAYLOAD_OVERHEAD }, member);
}

/** Throws RequestError `too_large`. `bytes`: the size of the metadata's JSON as it is stored. */
export function checkMetadata(bytes: number): void {
  if (bytes > MAX_METADATA_BYTES)
    throw tooLarge('metadata', `an entry has at most ${MAX_METADATA_BYTES} bytes of it`);
}

/** Throws RequestError `too_large`. */
export function checkSize(
  { entryLimits }: Pick<WritableVault, 'entryLimits'>,
  { fields, bytes }: EntryLimits,
  member: Member,
): void {
  const { fields: maxFields = ENTRY_LIMITS.fields, bytes: maxBytes = ENTRY_LIMITS.bytes } = entryLimits;
  if (fields > maxFields) throw tooLarge(member, `an entry has at most ${maxFields} fields`);
  if (bytes > maxBytes)
    throw tooLarge(member, `an entry has at most ${maxBytes} bytes, its value, fields and metadata together`);
}

function tooLarge(member: Member, problem: string): RequestError {
  return new RequestError('too_large', `${quoteName(member)}: ${problem}`, { member, problem });
}

/** Returns the bytes of an entry as it is stored. */
export function measureEntry(vault: ReadableVault, row: SecretRow): number {
  if (row.fieldCount > 0) return vault.fields.measure(row.id).bytes;
  return row.metadata.length + (row.payload?.length ?? 0);
}

/** Throws RequestError `busy` for an entry that would hold up other calls. The pool then asks in the queue of long ones. */
export function putOffIfLarge(vault: ReadableVault, row: SecretRow): void {
  if (vault.isForShort === true && measureEntry(vault, row) > LARGE) throw later();
}

/** As putOffIfLarge, for that many fields whose heads are read. */
export function putOffIfMany(vault: ReadableVault, fields: number): void {
  if (vault.isForShort === true && fields > MANY) throw later();
}

/** As putOffIfLarge, for one value. */
export function putOffIfLong(vault: ReadableVault, payload: Buffer | null): void {
  if (vault.isForShort === true && payload !== null && payload.length > LARGE) throw later();
}

function later(): RequestError {
  return new RequestError('busy', 'the answer is large, and others wait; try again', { reason: 'later' });
}
