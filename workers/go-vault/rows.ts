/**
 * The rows of a vault of the Go program. Its schemas 0 and 2 have secrets, the first without environments; schema 3 has fields
 * too, in a table that nothing ties to the secrets. The values are ciphertext here; names, metadata and tokens are plaintext.
 */
import { isUtf8 } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import Database from 'better-sqlite3';
import { RequestError } from '../errors/request-error.ts';
import { parseGoTime } from './times.ts';

type Db = Database.Database;
type Stored = Buffer | string | number | null;

/** A name as it is stored. `isText`: false for bytes that are not UTF-8, which `text` shows with replacements. */
export interface StoredName {
  readonly text: string;
  readonly isText: boolean;
}

export interface GoField {
  readonly field: StoredName;
  readonly sealed: Stored;
  readonly wrappedDataKey: Stored;
  /** Unix seconds; null if it is no time. */
  readonly updatedAt: number | null;
}

export interface GoSecret {
  readonly name: StoredName;
  readonly environment: StoredName;
  /** Null, with the data key, for a secret that has fields only. */
  readonly sealed: Stored;
  readonly wrappedDataKey: Stored;
  /** JSON text. */
  readonly metadata: string;
  /** Unix seconds; null if it is no time. */
  readonly createdAt: number | null;
  readonly updatedAt: number | null;
  readonly fields: readonly GoField[];
  /** Whether there is no row of the secret, so that its fields are all there is. */
  readonly isOrphan: boolean;
}

export interface GoToken {
  readonly name: string;
  readonly scopes: string;
  readonly created_at: string;
}

export interface GoRows {
  readonly schema: number;
  readonly secrets: readonly GoSecret[];
  readonly tokens: readonly GoToken[];
  /** SHA-256 of everything stored of secrets and fields. */
  readonly digest: string;
}

/** SQLite's codes for a disk on which the copy's log finds no room. The file is as it should be. */
const NO_ROOM: ReadonlySet<string> = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'SQLITE_IOERR_WRITE']);
const KNOWN_SCHEMAS: readonly number[] = [0, 2, 3];
/** The columns that name the value and the metadata, in schema 0 and since. */
const FIRST_COLUMNS = { sealed: 'encrypted_value', metadata: 'labels', environment: "''" };
const LATER_COLUMNS = { sealed: 'encrypted_secret', metadata: 'metadata', environment: 'environment' };
/** Bytes of all ciphertexts. An import takes no more at once. */
const MOST_BYTES = 64 * 1_048_576;
/** As many entries as one import takes. */
const MOST_SECRETS = 100_000;

/** Returns `user_version`. `path` is the database's in messages, here and below. Throws RequestError. */
export function readSchema(db: Db, path: string): number {
  return explainDamage(path, () => db.pragma('user_version', { simple: true }) as number);
}

/** Reads everything. Throws RequestError. */
export function readRows(db: Db, path: string): GoRows {
  return explainDamage(path, () => readChecked(db, path));
}

function explainDamage<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Database.SqliteError && !NO_ROOM.has(error.code))
      throw new RequestError(
        'bad_request',
        `${path} is damaged, or no vault of the Go program (${error.code})`,
      );
    throw error;
  }
}

function readChecked(db: Db, path: string): GoRows {
  const schema = readSchema(db, path);
  const tables = new Set(listNames(db, "SELECT name FROM sqlite_schema WHERE type = 'table'"));
  const columns = new Set(listNames(db, "SELECT name FROM pragma_table_info('secrets')"));
  if (!columns.has('encrypted_data_key'))
    throw new RequestError('bad_request', `${path} is no vault of the Go program`);
  if (!KNOWN_SCHEMAS.includes(schema) || tables.has('_secrets_old'))
    throw new RequestError(
      'bad_request',
      tables.has('_secrets_old')
        ? `an upgrade of ${path} was cut short; finish it with the Go program first`
        : `${path} has the schema ${schema}, and mav knows ${KNOWN_SCHEMAS.join(', ')} of the Go program`,
    );
  checkSound(db, path);
  const hash = createHash('sha256');
  const fields = tables.has('secret_fields') ? readFields(db, hash) : new Map<string, OwnedField[]>();
  const secrets = readSecrets(db, hash, columns.has('encrypted_secret'), fields);
  const orphans = [...fields.values()].map(makeOrphan);
  const tokens = tables.has('api_tokens') ? readTokens(db) : [];
  return { schema, secrets: [...secrets, ...orphans], tokens, digest: hash.digest('hex') };
}

function listNames(db: Db, query: string): string[] {
  return db.prepare(query).pluck().all() as string[];
}

/** A file that was cut off may still be read in part. */
function checkSound(db: Db, path: string): void {
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw new RequestError('bad_request', `${path} is damaged; nothing was changed`);
}

/** A field with the secret that it names. */
type OwnedField = GoField & Pick<GoSecret, 'name' | 'environment'> & { readonly createdAt: number | null };

function ownerKey(name: StoredName, environment: StoredName): string {
  return JSON.stringify([name.text, environment.text]);
}

/** Returns the fields by the secret that they name. */
function readFields(db: Db, hash: Hash): Map<string, OwnedField[]> {
  const found = new Map<string, OwnedField[]>();
  const query = `SELECT CAST(secret_name AS BLOB), CAST(secret_env AS BLOB), CAST(field_key AS BLOB), encrypted_value,
    encrypted_data_key, created_at, updated_at FROM secret_fields ORDER BY secret_name, secret_env, field_key`;
  for (const row of iterateRows(db, hash, query)) {
    const [name, environment, field] = [readName(row[0]), readName(row[1]), readName(row[2])];
    const [sealed = null, wrappedDataKey = null, created, updated] = row.slice(3);
    const times = { createdAt: parseGoTime(created), updatedAt: parseGoTime(updated) };
    const key = ownerKey(name, environment);
    const own = found.get(key) ?? [];
    own.push({ name, environment, field, sealed, wrappedDataKey, ...times });
    found.set(key, own);
  }
  return found;
}

/** Takes the fields of each secret out of `fields`. */
function readSecrets(db: Db, hash: Hash, isLater: boolean, fields: Map<string, OwnedField[]>): GoSecret[] {
  const { sealed: value, metadata: text, environment: place } = isLater ? LATER_COLUMNS : FIRST_COLUMNS;
  const query = `SELECT CAST(name AS BLOB), CAST(${place} AS BLOB), ${value}, encrypted_data_key, ${text},
    created_at, updated_at FROM secrets ORDER BY name, ${place}`;
  const secrets: GoSecret[] = [];
  for (const row of iterateRows(db, hash, query)) {
    const [name, environment] = [readName(row[0]), readName(row[1])];
    const [sealed = null, wrappedDataKey = null, metadata, created, updated] = row.slice(2);
    const key = ownerKey(name, environment);
    const own = fields.get(key) ?? [];
    fields.delete(key);
    if (secrets.length === MOST_SECRETS) throw refuseLarge(`${MOST_SECRETS.toLocaleString('en')} secrets`);
    secrets.push({
      name,
      environment,
      sealed,
      wrappedDataKey,
      metadata: String(metadata ?? ''),
      createdAt: parseGoTime(created),
      updatedAt: findLast([parseGoTime(updated), ...own.map(({ updatedAt }) => updatedAt)]),
      fields: own,
      isOrphan: false,
    });
  }
  return secrets;
}

function makeOrphan(fields: readonly OwnedField[]): GoSecret {
  const [{ name, environment } = { name: readName(null), environment: readName(null) }] = fields;
  const created = fields.flatMap(({ createdAt }) => (createdAt === null ? [] : [createdAt]));
  return {
    name,
    environment,
    sealed: null,
    wrappedDataKey: null,
    metadata: '{}',
    createdAt: created.length === 0 ? null : Math.min(...created),
    updatedAt: findLast(fields.map(({ updatedAt }) => updatedAt)),
    fields,
    isOrphan: true,
  };
}

/** Returns null if one of the times is missing. */
function findLast(times: readonly (number | null)[]): number | null {
  return times.reduce((last, time) => (last === null || time === null ? null : Math.max(last, time)));
}

/** Adds each row to the digest. Throws RequestError if there is more than an import takes. */
function* iterateRows(db: Db, hash: Hash, query: string): Generator<Stored[]> {
  let bytes = 0;
  for (const row of db.prepare(query).raw().iterate() as IterableIterator<Stored[]>) {
    for (const value of row) {
      const part = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
      hash.update(`${typeof value} ${part.length} `).update(part);
      bytes += part.length;
    }
    if (bytes > MOST_BYTES) throw refuseLarge(`${MOST_BYTES / 1_048_576} MiB`);
    yield row;
  }
  hash.update('end');
}

function refuseLarge(most: string): RequestError {
  return new RequestError(
    'too_large',
    `the vault has more than ${most}, and an import takes no more; nothing was changed; in parts: docs/from-go.md`,
  );
}

function readName(stored: Stored | undefined): StoredName {
  const bytes = Buffer.isBuffer(stored) ? stored : Buffer.from(String(stored ?? ''));
  return { text: bytes.toString(), isText: isUtf8(bytes) };
}

/** The times stay as they are stored, because nothing is made of them. */
function readTokens(db: Db): GoToken[] {
  const rows = db.prepare('SELECT name, scopes, created_at FROM api_tokens ORDER BY created_at, id').raw();
  return (rows.all() as Stored[][]).map(([name, scopes, created]) => ({
    name: String(name ?? ''),
    scopes: readScopes(String(scopes ?? '')),
    created_at: String(created ?? ''),
  }));
}

/** A JSON list of words, as the Go program writes it; anything else as it is stored. */
function readScopes(stored: string): string {
  try {
    const scopes: unknown = JSON.parse(stored);
    return Array.isArray(scopes) ? scopes.join(', ') : stored;
  } catch {
    return stored;
  }
}
