/**
 * The handler of import: stores all entries of a request, or none. Holds the plaintext of the request's values, which the
 * caller zeroes, and of one stored value at a time, which is compared with a given one and zeroed.
 */

import { timingSafeEqual } from 'node:crypto';
import { type ImportEntries, type ImportEntry, LIST } from '../bodies/import-entries.ts';
import { placeOfItem } from '../bodies/list-items.ts';
import { getDryRun } from '../bodies/parameters.ts';
import type { BodyHandler } from '../calls.ts';
import { checkWanted } from '../cancellation.ts';
import { requireWholeSecrets } from '../entries/access.ts';
import { SESSION } from '../entries/confirm.ts';
import {
  changeSecret,
  type Metadata,
  NO_METADATA,
  NO_TERMS,
  storeSecret,
  type Terms,
  type Times,
} from '../entries/entries.ts';
import { checkEntrySize, checkMetadata, checkSize } from '../entries/entry-size.ts';
import { asBoundField, setFields } from '../entries/fields.ts';
import { fieldPlace, type Place, secretPlace } from '../entries/places.ts';
import { checkPreconditions } from '../entries/preconditions.ts';
import { decryptRow, verifyRow } from '../entries/row-crypto.ts';
import { writeNames } from '../entries/write-entry.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { allocateSecret, discardBytes } from '../json/secret-bytes.ts';
import { nowSeconds } from '../json/times.ts';
import type { Call } from '../messages.ts';
import type { WritableVault } from '../open-vault.ts';
import type { SecretRow } from '../store/columns.ts';

const GROUPS = ['added', 'changed', 'unchanged'] as const;
type Group = (typeof GROUPS)[number];

const TIMES_NEED_SESSION = "only the owner's session may say when a secret was made or changed";
const NEEDS_READ = 'to import over secrets that exist the token needs the scope read';

export const importSecrets: BodyHandler<'secrets.import'> = (vault, call, reply, request) => {
  // The reply would say whether a value is the stored one.
  requireWholeSecrets(vault);
  const { list } = request.secrets;
  const numbered = withVersions(vault, list);
  const groups = new Array<Group>(list.length);
  vault.countSteps('writing', list.length, (step) => {
    // In the order of the indexes, so that the next row is mostly on a page that has just been used.
    for (const index of sortByName(list)) {
      checkWanted(call);
      groups[index] = storeOrNamePlace(numbered, call, request.secrets, index);
      sayNothingStored(step);
    }
  });
  writeGroups(getDryRun(call), list, groups, reply);
};

/** All of the import is one transaction, which a sealing rolls back. */
function sayNothingStored(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof SealedError)) throw error;
    throw new SealedError(error.reason, `${error.message}; nothing of it was stored`);
  }
}

/** Stores an entry. If it is too large, its place in the request is added to the error. */
function storeOrNamePlace(vault: WritableVault, call: Call, entries: ImportEntries, index: number): Group {
  try {
    return storeEntry(vault, call, entries, entries.list[index] as ImportEntry);
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== 'too_large') throw error;
    const { code, message, details } = error;
    const at = { list: LIST, index, problem: message };
    throw new RequestError(code, `${placeOfItem(LIST, index)}.${message}`, { ...details, at });
  }
}

function storeEntry(vault: WritableVault, call: Call, entries: ImportEntries, entry: ImportEntry): Group {
  if (hasTimes(entry) && vault.author.id !== SESSION) throw new RequestError('forbidden', TIMES_NEED_SESSION);
  const row = vault.secrets.find(entry);
  // The reply says whether a stored value equals the given one. Only a token that may read it may learn that.
  if (row !== null && !call.mayReplace) throw new RequestError('forbidden', NEEDS_READ);
  const metadata = entries.parseMetadata(entry);
  checkGivenSize(vault, entry, metadata);
  return row === null
    ? addEntry(vault, call, entry, metadata)
    : mergeEntry(vault, call, row, entry, metadata);
}

function hasTimes({ createdAt, updatedAt }: ImportEntry): boolean {
  return createdAt !== undefined || updatedAt !== undefined;
}

/** Returns an entry's terms, with those of `stored` in place of those that it does not give. */
function pickTerms({ expiresAt, rotateBy, confirm }: Partial<Terms>, stored: Terms = NO_TERMS): Terms {
  const wanted = confirm ?? stored.confirm;
  return {
    expiresAt: expiresAt ?? stored.expiresAt,
    rotateBy: rotateBy ?? stored.rotateBy,
    ...(wanted === undefined ? {} : { confirm: wanted }),
  };
}

/** Checks the size of the given parts alone, before any of them is encrypted. */
function checkGivenSize(
  vault: WritableVault,
  { value, fields }: ImportEntry,
  { text }: Metadata = NO_METADATA,
): void {
  const metadataBytes = Buffer.byteLength(text);
  checkMetadata(metadataBytes);
  let bytes = metadataBytes + (value?.length ?? 0);
  for (const [, field] of fields) bytes += field.length;
  checkSize(vault, { fields: fields.length, bytes }, fields.length > 0 ? 'fields' : 'value');
}

/** Returns the indexes of the entries in the order of their names. */
function sortByName(list: readonly ImportEntry[]): number[] {
  const indexes = Array.from(list.keys());
  return indexes.sort((a, b) => compareNames(list[a] as ImportEntry, list[b] as ImportEntry));
}

function compareNames(a: ImportEntry, b: ImportEntry): number {
  if (a.name < b.name) return -1;
  if (a.name > b.name) return 1;
  return a.environment < b.environment ? -1 : 1;
}

/**
 * Returns the vault with versions for all these values, which one statement takes when the first is needed. A statement for
 * each would take as long as encrypting. Use it in this transaction only: a rollback gives the versions back.
 */
function withVersions(vault: WritableVault, entries: readonly ImportEntry[]): WritableVault {
  let left = countVersions(entries);
  let next: number | null = null;
  const nextVersion = () => {
    if (left === 0) return vault.nextVersion();
    next ??= vault.vault.takeVersions(left);
    left -= 1;
    return next++;
  };
  return { ...vault, nextVersion };
}

/** A new entry without a value takes one for its id. */
function countVersions(entries: readonly ImportEntry[]): number {
  return entries.reduce((sum, { fields }) => sum + 1 + fields.length, 0);
}

function addEntry(
  vault: WritableVault,
  call: Call,
  entry: ImportEntry,
  metadata: Metadata = NO_METADATA,
): Group {
  if (getDryRun(call)) return 'added';
  const { name, environment, value = null, fields } = entry;
  const times = pickTimes(entry);
  const { id } = storeSecret(vault, { name, environment }, null, value, metadata, pickTerms(entry), times);
  if (fields.length > 0) setFields(vault, id, fields, { continues: true, updatedAt: times?.updatedAt });
  return 'added';
}

/** Returns the times of a new entry that gives some, none of them in the future; null if it gives none. */
function pickTimes({ createdAt, updatedAt }: ImportEntry): Times | null {
  if (createdAt === undefined && updatedAt === undefined) return null;
  const changedAt = Math.min(updatedAt ?? Infinity, nowSeconds());
  return { createdAt: Math.min(createdAt ?? Infinity, changedAt), updatedAt: changedAt };
}

/** The request's preconditions hold for entries that it would change. */
function mergeEntry(
  vault: WritableVault,
  call: Call,
  row: SecretRow,
  entry: ImportEntry,
  metadata: Metadata | undefined,
): Group {
  if (isStored(vault, row, entry, metadata)) return 'unchanged';
  if (getDryRun(call)) return 'changed';
  checkPreconditions(call, row);
  const { value, fields } = entry;
  const terms = pickTerms(entry, row);
  const { id, name, environment } = row;
  // If both are given, no part of the row is kept, so it need not be genuine. Otherwise changeSecret verifies it.
  if (value !== undefined && metadata !== undefined)
    storeSecret(vault, { name, environment }, row, value, metadata, terms);
  else if (value !== undefined) changeSecret(vault, row, { value, terms });
  else changeSecret(vault, row, metadata === undefined ? { terms } : { metadata, terms });
  if (fields.length > 0) setFields(vault, id, fields, { continues: true });
  checkEntrySize(vault, id, fields.length > 0 ? 'fields' : 'value');
  return 'changed';
}

/**
 * Returns whether everything given is already stored. Throws IntegrityError if the stored entry fails verification and a
 * part of it would stay: that part would be wrapped again, which must not make it genuine.
 */
function isStored(
  vault: WritableVault,
  row: SecretRow,
  entry: ImportEntry,
  metadata: Metadata | undefined,
): boolean {
  try {
    return isSameEntry(vault, row, entry, metadata);
  } catch (error) {
    if (error instanceof IntegrityError && replacesAll(vault, row, entry)) return false;
    throw error;
  }
}

function replacesAll(vault: WritableVault, row: SecretRow, entry: ImportEntry): boolean {
  if (entry.value === undefined || entry.metadataOffset === undefined) return false;
  const given = new Set(entry.fields.map(([field]) => field));
  return vault.secrets.listFields(row.id).every(({ field }) => given.has(field));
}

/** Verifies the row and each given field, also after the first difference. */
function isSameEntry(
  vault: WritableVault,
  row: SecretRow,
  entry: ImportEntry,
  metadata: Metadata | undefined,
): boolean {
  const { expiresAt, rotateBy, confirm } = pickTerms(entry, row);
  const hasTerms = expiresAt === row.expiresAt && rotateBy === row.rotateBy && confirm === row.confirm;
  let same = hasTerms && (metadata === undefined || metadata.text === row.metadata);
  const bound = { ...row, fields: vault.secrets.listFieldHeads(row.id) };
  if (entry.value === undefined) verifyRow(vault.keyring, secretPlace(row), bound);
  else if (!hasValue(vault, secretPlace(row), bound, entry.value)) same = false;
  for (const [field, value] of entry.fields) {
    const stored = vault.secrets.findField(row.id, field);
    const place = fieldPlace(row, field);
    if (stored === null || !hasValue(vault, place, asBoundField(stored), value)) same = false;
  }
  return same;
}

/** Returns whether a row has this value. Throws IntegrityError. */
function hasValue(
  vault: WritableVault,
  place: Place,
  row: Parameters<typeof decryptRow>[2],
  value: Uint8Array,
): boolean {
  const stored = decryptRow(vault.keyring, place, row, allocateSecret);
  if (stored === null) return false;
  const isEqual = stored.length === value.length && timingSafeEqual(stored, value);
  discardBytes(stored);
  return isEqual;
}

/** Writes each group in the order of the request. */
function writeGroups(
  isDryRun: boolean,
  list: readonly ImportEntry[],
  groups: readonly Group[],
  reply: ReplyBuffer,
): void {
  reply.ascii(`{"dry_run":${isDryRun}`);
  for (const group of GROUPS) {
    reply.ascii(`,"${group}":[`);
    const entries = list.filter((_, index) => groups[index] === group);
    for (const [index, entry] of entries.entries()) {
      if (index > 0) reply.ascii(',');
      writeNames(entry, reply);
      reply.ascii('}');
    }
    reply.ascii(']');
  }
  reply.ascii('}');
}
