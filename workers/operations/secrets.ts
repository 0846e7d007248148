/**
 * Secrets: list, search, get, put, patch, delete. Holds a value's plaintext between opening or parsing it and handing
 * it on, as bytes only; each is zeroed before the operation returns.
 */
import { isUtf8 } from 'node:buffer';
import type { BodyRequest } from '../bodies/schemas.ts';
import type { BodyHandler, Handler, Outcome } from '../calls.ts';
import { checkEntrySize } from '../entries/entry-size.ts';
import { checkPreconditions, entityTag } from '../entries/preconditions.ts';
import {
  isVouchedFor,
  openRow,
  type Place,
  rewrapRow,
  type SealedRow,
  sealRow,
  verifyRow,
} from '../entries/row-crypto.ts';
import { buildSearchText } from '../entries/search-text.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import type { BoundRow, FieldVersion } from '../envelope/row-digest.ts';
import { base64Length } from '../json/base64.ts';
import type { RawMetadata } from '../json/parse.ts';
import { growsInJson, type ReplyBuffer } from '../json/reply.ts';
import { discard } from '../json/secret-bytes.ts';
import { formatTime } from '../json/times.ts';
import type { Call, PageBounds } from '../messages.ts';
import { RequestError } from '../request-error.ts';
import type { ListFilter } from '../store/lists.ts';
import type { FieldHead, FieldRow, SecretRow, SecretSummary } from '../store/secrets.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';
import { MAX_ANSWER_SIZE } from './answer-size.ts';
import { encodeCursor, getListFilter, getPlace, getSearchFilter } from './parameters.ts';

export const NO_METADATA: Pick<RawMetadata, 'text' | 'entries' | 'searchTexts'> = {
  text: '{}',
  entries: [],
  searchTexts: [],
};

export type Metadata = typeof NO_METADATA;

/** A row and the place it is bound to: what the sealing functions want of a secret. */
export function placeOf(row: { name: string; environment: string }): Place {
  return { kind: 'secret', environment: row.environment, name: row.name, field: '' };
}

export function fieldPlaceOf(row: { name: string; environment: string }, field: string): Place {
  return { kind: 'field', environment: row.environment, name: row.name, field };
}

/** Throws RequestError `not_found` if there is no such secret. */
export function getSecretRow(vault: ReadableVault, name: string, environment: string): SecretRow {
  const row = vault.secrets.find(name, environment);
  if (row === null) throw new RequestError('not_found', 'no such secret in this environment');
  return row;
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

export const listSecrets: Handler<ReadableVault> = (vault, call, reply) =>
  writeSummaries(vault, getListFilter(call), call.page, reply);

export const searchSecrets: Handler<ReadableVault> = (vault, call, reply) =>
  writeSummaries(vault, getSearchFilter(call), call.page, reply);

/** A JSON array of summaries, and where the next page starts if the filter's limit or `page` cut the list short. */
function writeSummaries(
  vault: ReadableVault,
  filter: ListFilter,
  page: PageBounds | undefined,
  reply: ReplyBuffer,
): Outcome {
  const { limit } = filter;
  // One row more than the page shows whether there is another page.
  const rows = vault.secrets.list(limit === undefined ? filter : { ...filter, limit: limit + 1 });
  let last: SecretSummary | null = null;
  let count = 0;
  const start = reply.length;
  // A page that a client asks for may be shorter than its limit; the cursor says that there is more.
  const isFull = () =>
    count === limit ||
    reply.length - start >= MAX_ANSWER_SIZE ||
    (page !== undefined && (count >= page.rows || reply.length - start >= page.bytes));
  reply.ascii('[');
  for (const row of rows) {
    if (last !== null && isFull()) {
      reply.ascii(']');
      return { cursor: encodeCursor(last) };
    }
    if (last !== null) reply.ascii(',');
    writeSummary(vault, row, reply);
    last = row;
    count += 1;
  }
  reply.ascii(']');
  return {};
}

/** In one piece: it holds no secret, and a list writes so many that each call counts. */
function writeSummary(vault: ReadableVault, row: SecretSummary, reply: ReplyBuffer): void {
  // No wrap is opened for a list: nobody vouches for this text, and one bad row must not spoil the answer for all.
  const metadata = isObject(vault, row.metadata) ? row.metadata : NO_METADATA.text;
  const fieldCount = row.fieldCount > 0 ? `,"field_count":${row.fieldCount}` : '';
  reply.raw(
    `{"name":${JSON.stringify(row.name)},"environment":${JSON.stringify(row.environment)},"metadata":${metadata}` +
      `${fieldCount},"created_at":"${formatTime(row.createdAt)}","updated_at":"${formatTime(row.updatedAt)}",` +
      `"written_by":${JSON.stringify(row.writtenBy)},"accepted":${isAccepted(row)}}`,
  );
}

/** Of a large text SQLite says it: a reader's heap would fill with what is only to be looked at. */
function isObject({ secrets }: ReadableVault, text: string): boolean {
  return text.length > LARGE ? secrets.isJsonObject(text) : isJsonObject(text);
}

function isJsonObject(text: string): boolean {
  if (text === NO_METADATA.text) return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The beginning of a JSON object: its name and environment. */
export function writeNames(row: { name: string; environment: string }, reply: ReplyBuffer): void {
  reply.ascii('{"name":');
  reply.string(row.name);
  reply.ascii(',"environment":');
  reply.string(row.environment);
}

function writeFieldCount(count: number, reply: ReplyBuffer): void {
  reply.ascii(',"field_count":');
  reply.integer(count);
}

function writeTimes(row: SecretSummary, reply: ReplyBuffer): void {
  reply.ascii(',"created_at":');
  reply.time(row.createdAt);
  reply.ascii(',"updated_at":');
  reply.time(row.updatedAt);
}

function writeWriter(row: SecretSummary, reply: ReplyBuffer): void {
  reply.ascii(',"written_by":');
  reply.string(row.writtenBy);
  reply.ascii(`,"accepted":${isAccepted(row)}`);
}

/** Bytes; it takes a reader as long as a batch of ordinary ones. */
const LARGE = 65_536;

/** Bytes of an entry as it is stored. */
function measureEntry(vault: ReadableVault, row: SecretRow): number {
  if (row.fieldCount > 0) return vault.secrets.measure(row.id).bytes;
  return row.metadata.length + (row.payload?.length ?? 0);
}

/** Throws RequestError `busy` for what would hold up other calls; the pool asks for it where long ones are asked. */
export function putOffIfLarge(vault: ReadableVault, row: SecretRow): void {
  if (vault.isForShort === true) checkShort(measureEntry(vault, row));
}

/** As putOffIfLarge, for one value. */
export function putOffIfLong(vault: ReadableVault, payload: Buffer | null): void {
  if (vault.isForShort === true) checkShort(payload?.length ?? 0);
}

function checkShort(size: number): void {
  if (size > LARGE)
    throw new RequestError('busy', 'the answer is large, and others wait; try again', 'later');
}

export const getSecret: Handler<ReadableVault> = (vault, call, reply) => {
  const { name, environment } = getPlace(call);
  const row = getSecretRow(vault, name, environment);
  putOffIfLarge(vault, row);
  writeEntry(vault, row, reply);
  return { etag: entityTag(row) };
};

/** All fields of a secret. */
interface Fields {
  readonly heads: readonly FieldHead[];
  /** To be gone through once. */
  readonly rows: Iterable<FieldRow>;
}

/**
 * Those of a large entry are read one by one, into a reply that has room for them: so no more is in memory than that and
 * one field. Throws IntegrityError where there are more or fewer than the secret counts: a damaged page may have lost some.
 */
export function openFields(vault: ReadableVault, secret: SecretRow, reply: ReplyBuffer): Fields {
  if (secret.fieldCount === 0) return { heads: [], rows: [] };
  const { secrets } = vault;
  const size = measureEntry(vault, secret);
  if (size <= LARGE) {
    const rows = checkCount(secret, secrets.listFields(secret.id));
    return { heads: rows, rows };
  }
  reply.expect(base64Length(size));
  return { heads: listAllHeads(vault, secret), rows: secrets.readFields(secret.id) };
}

/** As openFields, without reading a value. */
export function listAllHeads({ secrets }: ReadableVault, secret: SecretRow): readonly FieldHead[] {
  return checkCount(secret, secrets.listFieldHeads(secret.id));
}

function checkCount<Head extends FieldHead>(
  { fieldCount }: SecretRow,
  fields: readonly Head[],
): readonly Head[] {
  if (fields.length !== fieldCount) throw new IntegrityError();
  return fields;
}

/**
 * A secret's row with the fields that it has at this moment, as its wrap binds them. A row that counts none is read
 * without looking for any: where that is a lie, the digest is another one than was bound.
 */
export function withFields(vault: ReadableVault, row: SecretRow): SecretRow & BoundRow {
  return { ...row, fields: row.fieldCount === 0 ? NO_FIELDS : vault.secrets.listFieldHeads(row.id) };
}

const NO_FIELDS: readonly FieldVersion[] = [];

/** A field's row as its wrap binds it. */
export function asBoundField<Row extends Omit<BoundRow, 'metadata' | 'fields'>>(row: Row): Row & BoundRow {
  return { ...row, metadata: '', fields: NO_FIELDS };
}

/** A whole entry as a JSON object. Throws IntegrityError in the middle of it: what was written is to be truncated. */
export function writeEntry(vault: ReadableVault, row: SecretRow, reply: ReplyBuffer): void {
  const fields = openFields(vault, row, reply);
  writeNames(row, reply);
  writeValue(openRow(vault.keyring, placeOf(row), { ...row, fields: fields.heads }), reply);
  reply.ascii(',"metadata":');
  reply.raw(row.metadata);
  if (fields.heads.length > 0) {
    reply.ascii(',"fields":');
    writeFields(vault, row, fields.rows, reply);
    writeFieldCount(fields.heads.length, reply);
  }
  writeTimes(row, reply);
  writeWriter(row, reply);
  writeUnaccepted(fields.heads, reply);
  reply.ascii('}');
}

/** Which fields the owner neither wrote nor accepted, each with the token that wrote it; nothing where there are none. */
function writeUnaccepted(fields: readonly FieldHead[], reply: ReplyBuffer): void {
  const unaccepted = fields.filter((row) => !isAccepted(row));
  for (const [index, { field, writtenBy }] of unaccepted.entries()) {
    reply.ascii(index === 0 ? ',"unaccepted_fields":{' : ',');
    reply.string(field);
    reply.ascii(':');
    reply.string(writtenBy);
  }
  if (unaccepted.length > 0) reply.ascii('}');
}

/** Whether a JSON string is to show it, and not base64. */
function isText(plaintext: Buffer): boolean {
  return isUtf8(plaintext) && !growsInJson(plaintext);
}

/**
 * Writes the member `value`, and `encoding` where base64 is to show it, and zeroes the value; writes nothing where
 * there is none. The comma comes first.
 */
export function writeValue(plaintext: Buffer | null, reply: ReplyBuffer): void {
  if (plaintext === null) return;
  reply.ascii(',"value":');
  if (isText(plaintext)) reply.secret(plaintext);
  else writeBase64(plaintext, reply);
  discard(plaintext);
}

/** As writeValue, but a string by itself or, where only base64 can show the value, an object. */
function writeFieldValue(plaintext: Buffer, reply: ReplyBuffer): void {
  if (isText(plaintext)) {
    reply.secret(plaintext);
  } else {
    reply.ascii('{"value":');
    writeBase64(plaintext, reply);
    reply.ascii('}');
  }
  discard(plaintext);
}

/** A JSON string, and the member that says how to read it. */
function writeBase64(bytes: Buffer, reply: ReplyBuffer): void {
  reply.base64(bytes);
  reply.ascii(',"encoding":"base64"');
}

/** A field's value, which the caller zeroes. Throws IntegrityError. */
export function openFieldRow(vault: ReadableVault, secret: SecretRow, row: FieldRow): Buffer {
  const value = openRow(vault.keyring, fieldPlaceOf(secret, row.field), asBoundField(row));
  if (value === null) throw new RangeError('a field has a value');
  return value;
}

/** A JSON object of field to value. */
export function writeFields(
  vault: ReadableVault,
  secret: SecretRow,
  fields: Iterable<FieldRow>,
  reply: ReplyBuffer,
): void {
  reply.ascii('{');
  let isFirst = true;
  for (const row of fields) {
    if (!isFirst) reply.ascii(',');
    isFirst = false;
    reply.string(row.field);
    reply.ascii(':');
    writeFieldValue(openFieldRow(vault, secret, row), reply);
    discard(row.payload);
  }
  reply.ascii('}');
}

/**
 * Stores value (null: none of its own) and metadata under a name, new or not, and answers the row's id. Fields of a secret
 * that exists stay; but where nothing vouches for the row, and so for which fields it has, they go with it.
 */
export function storeSecret(
  vault: WritableVault,
  place: { name: string; environment: string },
  existing: SecretRow | null,
  value: Uint8Array | null,
  metadata: Metadata,
): number {
  const now = nowSeconds();
  const kept = keepVouchedFor(vault, existing);
  const { fields } = kept;
  const bound = {
    metadata: metadata.text,
    createdAt: kept.createdAt ?? now,
    updatedAt: now,
    writtenBy: vault.author.id,
    accepted: toAccepted(vault.author.isTrusted && fields.every(isAccepted)),
    fields,
  };
  const version = value === null ? 0 : vault.nextVersion();
  const sealed = sealRow(vault.keyring, placeOf(place), bound, version, value);
  const id = vault.writer.put({ id: existing?.id ?? null, ...place, ...bound, ...sealed });
  if (existing !== null && kept.createdAt === null) vault.writer.countFields(id);
  // The indexes of a row that keeps its metadata are up to it already.
  if (existing?.metadata !== metadata.text) indexMetadata(vault, id, place, metadata, existing === null);
  return id;
}

/** What of a row that is replaced stays; deletes the fields that do not. */
function keepVouchedFor(
  vault: WritableVault,
  existing: SecretRow | null,
): { readonly createdAt: number | null; readonly fields: readonly FieldHead[] } {
  if (existing === null) return { createdAt: null, fields: [] };
  const fields = vault.secrets.listFieldHeads(existing.id);
  if (isVouchedFor(vault.keyring, placeOf(existing), { ...existing, fields }))
    return { createdAt: existing.createdAt, fields };
  vault.writer.deleteFields(existing.id);
  return { createdAt: null, fields: [] };
}

function isAccepted({ accepted }: { readonly accepted: number }): boolean {
  return accepted === 1;
}

/** As the store has it. */
export function toAccepted(isAcceptedByOwner: boolean): number {
  return isAcceptedByOwner ? 1 : 0;
}

/** Brings the indexes of a row up to its place and metadata; a new row is in none of them. */
export function indexMetadata(
  vault: WritableVault,
  id: number,
  place: { name: string; environment: string },
  metadata: Metadata,
  isNew: boolean,
): void {
  const searchText = buildSearchText(place.name, place.environment, metadata.searchTexts);
  vault.writer.index(id, place, { entries: metadata.entries, searchText }, isNew);
}

export function writeStatus(
  status: string,
  members: Readonly<Record<string, string | number>>,
  reply: ReplyBuffer,
) {
  reply.ascii('{"status":');
  reply.string(status);
  for (const [member, value] of Object.entries(members)) {
    reply.ascii(`,"${member}":`);
    if (typeof value === 'number') reply.integer(value);
    else reply.string(value);
  }
  reply.ascii('}');
}

/** The secret that a write is about, if it is there; checks the request's preconditions against it. */
export function findForWrite(
  vault: WritableVault,
  call: Call,
  place: { name: string; environment: string },
): SecretRow | null {
  const row = vault.secrets.find(place.name, place.environment);
  checkPreconditions(call, row);
  return row;
}

/** As findForWrite, but throws RequestError `not_found` if it is not there. */
export function getForWrite(
  vault: WritableVault,
  call: Call,
  place: { name: string; environment: string },
): SecretRow {
  checkPreconditions(call, vault.secrets.find(place.name, place.environment));
  return getSecretRow(vault, place.name, place.environment);
}

export const putSecret: BodyHandler<'secrets.put'> = (vault, call, reply, request) => {
  const place = getPlace(call);
  const existing = findForWrite(vault, call, place);
  const id = storeSecret(vault, place, existing, request.value, request.metadata ?? NO_METADATA);
  checkEntrySize(vault, id, 'value');
  writeStatus('stored', { name: place.name }, reply);
};

export const patchSecret: BodyHandler<'secrets.patch'> = (vault, call, reply, request) => {
  const place = getPlace(call);
  const row = getForWrite(vault, call, place);
  changeSecret(vault, row, request);
  checkEntrySize(vault, row.id, request.value === undefined ? 'metadata' : 'value');
  writeStatus('updated', { name: place.name }, reply);
};

/** What of a secret changes; fields by `changeFields`, which runs once what is stored was verified. */
export interface SecretChange extends Partial<BodyRequest<'secrets.patch'>> {
  readonly changeFields?: () => void;
}

/**
 * Changes what is given and keeps the rest; the row's time of change is now in any case. Throws IntegrityError: what is
 * kept is wrapped anew, and must not become genuine by that if somebody changed it without the key. Which fields there
 * are is verified before any of them changes, so that a lost one is not counted away.
 */
export function changeSecret(vault: WritableVault, row: SecretRow, change: SecretChange): void {
  const { value, metadata, changeFields } = change;
  const place = placeOf(row);
  const before = { ...row, fields: vault.secrets.listFieldHeads(row.id) };
  verifyRow(vault.keyring, place, before);
  changeFields?.();
  const fields = changeFields === undefined ? before.fields : vault.secrets.listFieldHeads(row.id);
  const bound = {
    metadata: metadata?.text ?? row.metadata,
    createdAt: row.createdAt,
    updatedAt: nowSeconds(),
    writtenBy: vault.author.id,
    accepted: toAccepted(isAcceptedAfter(vault, row, value !== undefined) && fields.every(isAccepted)),
    fields,
  };
  const sealed: SealedRow =
    value === undefined
      ? rewrapRow(vault.keyring, place, before, bound)
      : sealRow(vault.keyring, place, bound, vault.nextVersion(), value);
  const { id, name, environment } = row;
  vault.writer.put({ id, name, environment, ...bound, ...sealed });
  if (changeFields !== undefined) vault.writer.countFields(id);
  if (metadata !== undefined && metadata.text !== row.metadata)
    indexMetadata(vault, id, row, metadata, false);
}

/** Who replaces a value answers for it; who changes something else does not answer for the value that stays. */
function isAcceptedAfter({ author }: WritableVault, row: SecretRow, hasNewValue: boolean): boolean {
  return author.isTrusted && (hasNewValue || isAccepted(row));
}

export const deleteSecret: Handler<WritableVault> = (vault, call, reply) => {
  const place = getPlace(call);
  vault.writer.delete(getForWrite(vault, call, place).id);
  writeStatus('deleted', { name: place.name }, reply);
};
