/**
 * Reads a vault of the Go program: writes its secrets as the body of an import. Holds its master key, and one value at a time,
 * until they are in the reply; both are zeroed. No other operation reads that program's files.
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { findNameProblem, type NameKind } from '../bodies/names.ts';
import { checkMetadata, checkSize } from '../entries/entry-size.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { freeSecretMemory } from '../envelope/secret-memory.ts';
import { loadSodium } from '../envelope/sodium.ts';
import { RequestError } from '../errors/request-error.ts';
import { withCopy } from '../go-vault/files.ts';
import { readMasterKey } from '../go-vault/master-key.ts';
import {
  type GoField,
  type GoRows,
  type GoSecret,
  readRows,
  readSchema,
  type StoredName,
} from '../go-vault/rows.ts';
import { openSealedValue, SEALED_OVERHEAD } from '../go-vault/sealed-value.ts';
import { parseMetadata } from '../json/parse.ts';
import { isShownAsText, type ReplyBuffer } from '../json/reply.ts';
import { formatTime } from '../json/times.ts';
import { refuseTracer } from '../keys/tracer.ts';
import type { Call, GoVaultReport, NamedProblem, SecretName, WorkerOptions } from '../messages.ts';

/** A part of a secret that ours takes. `field`: null for the secret's own value. */
interface Part {
  readonly field: string | null;
  readonly sealed: GoField['sealed'];
  readonly wrappedDataKey: GoField['wrappedDataKey'];
}

interface Taken {
  readonly secret: GoSecret;
  readonly metadata: string;
  readonly parts: readonly Part[];
}

const EMPTY = 'its value is empty';
/** That program takes these for an empty object. */
const NO_METADATA: ReadonlySet<string> = new Set(['', 'null']);

/**
 * Writes `{"secrets": […]}`, a line end and a GoVaultReport. Parameters: `path` of the database; `key_file`, absent for the OS
 * keychain; `skip`, `true` to leave out what ours refuses. The list is missing if something was refused without `skip`, or
 * could not be opened. Throws RequestError and SealedError.
 */
export async function readGoVault(
  options: WorkerOptions,
  { params: { path = '', key_file: keyFile, skip } }: Call,
  reply: ReplyBuffer,
): Promise<void> {
  loadSodium();
  if (!options.mayBeTraced) refuseTracer();
  const rows = withCopy(path, choosePlace(options), (copy, opened) => readCopy(copy, path, opened));
  const refused: NamedProblem[] = [];
  const taken = rows.secrets.flatMap((secret) => takeSecret(options, secret, refused) ?? []);
  const unreadable: NamedProblem[] = [];
  if (taken.length > 0 && (refused.length === 0 || skip === 'true')) {
    const key = await readMasterKey(keyFile ?? null, options.keychainTimeoutMs);
    try {
      writeSecrets(key, taken, unreadable, reply);
    } finally {
      freeSecretMemory(key);
    }
  }
  reply.raw(`\n${JSON.stringify(describe(rows, taken, { refused, unreadable }))}`);
}

/** Copies lie beside the vault of mav, where they are private; where it has no folder yet, among the temporary files. */
function choosePlace({ databasePath }: WorkerOptions): string {
  return existsSync(dirname(databasePath)) ? databasePath : join(tmpdir(), 'mav');
}

function readCopy(copy: string, path: string, opened: () => void): GoRows {
  let db: Database.Database;
  try {
    db = new Database(copy, { fileMustExist: true });
  } catch {
    throw new RequestError('bad_request', `there is no vault at ${path}`);
  }
  try {
    db.pragma('trusted_schema = OFF');
    // The first read opens the log.
    readSchema(db, path);
    opened();
    return readRows(db, path);
  } finally {
    db.close();
  }
}

/** Returns null for a secret of which nothing is left. Adds what ours refuses, and why, to `refused`. */
function takeSecret(options: WorkerOptions, secret: GoSecret, refused: NamedProblem[]): Taken | null {
  const place = nameOf(secret);
  const metadata = readMetadata(secret.metadata);
  const problem =
    findProblem('name', secret.name) ??
    findProblem('environment', secret.environment, 'its environment ') ??
    (metadata === null ? 'its metadata is not a JSON object' : findSizeProblem(options, secret, metadata));
  if (problem !== null || metadata === null) {
    refused.push({ ...place, problem: problem ?? '' });
    return null;
  }
  const before = refused.length;
  const parts = takeParts(secret, (problem, field) => {
    refused.push({ ...place, ...(field === undefined ? {} : { field }), problem });
  });
  if (parts.length > 0) return { secret, metadata, parts };
  if (refused.length === before) refused.push({ ...place, problem: 'it has neither a value nor a field' });
  return null;
}

function nameOf({ name, environment }: Pick<GoSecret, 'name' | 'environment'>): SecretName {
  return { name: name.text, environment: environment.text };
}

/** Returns the value and the fields that ours takes. */
function takeParts(secret: GoSecret, refuse: (problem: string, field?: string) => void): Part[] {
  const parts: Part[] = [];
  if (isEmpty(secret)) refuse(EMPTY);
  else if (secret.sealed !== null || secret.wrappedDataKey !== null) parts.push({ ...secret, field: null });
  for (const part of secret.fields) {
    const problem = findProblem('field', part.field) ?? (isEmpty(part) ? EMPTY : null);
    if (problem !== null) refuse(problem, part.field.text);
    else parts.push({ ...part, field: part.field.text });
  }
  return parts;
}

function findProblem(kind: NameKind, { text, isText }: StoredName, subject = 'its name '): string | null {
  if (!isText) return `${subject}is not UTF-8`;
  const problem = findNameProblem(kind, text);
  return problem === null ? null : subject + problem;
}

/** Returns the JSON without white space; null if it is not an object. */
function readMetadata(stored: string): string | null {
  if (NO_METADATA.has(stored)) return '{}';
  try {
    return parseMetadata(stored).text;
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  }
}

/** An empty value's ciphertext is a nonce and a tag. */
function isEmpty({ sealed }: Pick<Part, 'sealed'>): boolean {
  return Buffer.isBuffer(sealed) && sealed.length === SEALED_OVERHEAD;
}

function findSizeProblem(
  { entryLimits = {} }: WorkerOptions,
  { sealed, fields }: GoSecret,
  metadata: string,
): string | null {
  const metadataBytes = Buffer.byteLength(metadata);
  const values = [sealed, ...fields.map((field) => field.sealed)].filter((value) => Buffer.isBuffer(value));
  const bytes = values.reduce((sum, value) => sum + value.length - SEALED_OVERHEAD, metadataBytes);
  try {
    checkMetadata(metadataBytes);
    checkSize({ entryLimits }, { fields: fields.length, bytes }, 'value');
    return null;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return error.details.problem ?? error.message;
  }
}

/** Writes the list, or nothing if a value is not genuine; then `unreadable` says which. */
function writeSecrets(
  key: Uint8Array,
  taken: readonly Taken[],
  unreadable: NamedProblem[],
  reply: ReplyBuffer,
): void {
  const start = reply.length;
  reply.ascii('{"secrets":[');
  for (const [index, entry] of taken.entries()) {
    if (index > 0) reply.ascii(',');
    writeSecret(key, entry, unreadable, reply);
  }
  reply.ascii(']}');
  if (unreadable.length > 0) reply.truncate(start);
}

function writeSecret(
  key: Uint8Array,
  { secret, metadata, parts }: Taken,
  unreadable: NamedProblem[],
  reply: ReplyBuffer,
): void {
  const place = nameOf(secret);
  reply.raw(`${JSON.stringify(place).slice(0, -1)},"metadata":${metadata}`);
  let isInFields = false;
  for (const part of parts) {
    const { field } = part;
    if (field === null) reply.ascii(',');
    else reply.raw(`${isInFields ? ',' : ',"fields":{'}${JSON.stringify(field)}:`);
    isInFields = field !== null;
    if (!writePart(key, part, reply))
      unreadable.push({ ...place, ...(field === null ? {} : { field }), problem: 'it does not open' });
  }
  if (isInFields) reply.ascii('}');
  writeTimes(secret, reply);
  reply.ascii('}');
}

function writeTimes({ createdAt, updatedAt }: GoSecret, reply: ReplyBuffer): void {
  if (createdAt !== null) reply.ascii(`,"created_at":"${formatTime(createdAt)}"`);
  if (updatedAt !== null) reply.ascii(`,"updated_at":"${formatTime(updatedAt)}"`);
}

/** Writes the members of the secret's own value, or a field's value. Returns false if it is not genuine. */
function writePart(key: Uint8Array, { field, sealed, wrappedDataKey }: Part, reply: ReplyBuffer): boolean {
  if (!Buffer.isBuffer(sealed) || !Buffer.isBuffer(wrappedDataKey)) return false;
  let value: Buffer;
  try {
    value = openSealedValue(key, { sealed, wrappedDataKey });
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
  try {
    writeValue(value, field !== null, reply);
    return true;
  } finally {
    value.fill(0);
  }
}

/** A field is a bare string or, if its value needs base64, an object. */
function writeValue(value: Buffer, isField: boolean, reply: ReplyBuffer): void {
  const isText = isShownAsText(value);
  const isObject = isField && !isText;
  if (isObject) reply.ascii('{');
  if (isObject || !isField) reply.ascii('"value":');
  if (isText) reply.secret(value);
  else {
    reply.ascii('"');
    reply.room(value.length).set(value);
    reply.endBase64(value.length);
    reply.ascii(',"encoding":"base64"');
  }
  if (isObject) reply.ascii('}');
}

function describe(
  { schema, digest, tokens }: GoRows,
  taken: readonly Taken[],
  problems: Pick<GoVaultReport, 'refused' | 'unreadable'>,
): GoVaultReport {
  const isUntimed = ({ createdAt, updatedAt }: GoSecret) => createdAt === null || updatedAt === null;
  const name = ({ secret }: Taken) => nameOf(secret);
  return {
    schema,
    digest,
    tokens,
    secrets: taken.map(name),
    parts: taken.reduce((sum, { parts }) => sum + parts.length, 0),
    orphans: taken.filter(({ secret }) => secret.isOrphan).map(name),
    untimed: taken.filter(({ secret }) => isUntimed(secret)).map(name),
    ...problems,
  };
}
