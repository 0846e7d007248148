/**
 * The schema of vault.db, one step a version. Holds no secret.
 *
 * `user_version` counts from 4 because the file format does: the program whose API we keep ended at 3, and a
 * file of its kind must be refused, not half understood. `application_id` says whose file this is.
 */

/** "MAVL" in ASCII. */
export const APPLICATION_ID = 0x4d41564c;

/** The newest schema this program understands. */
export const SCHEMA_VERSION = 5;

/** The first schema that was ours. */
export const OLDEST_SCHEMA_VERSION = 4;

/**
 * - `vault` has one row. `sequence` numbers every sealed value of the vault, so that no version is ever used twice.
 * - A secret without a value (fields only) has `payload` NULL and `version` 0; both are bound by its wrapped DEK.
 * - `metadata_entries` and `search_texts` are indexes: made from the metadata, never the source of an answer.
 */
const SCHEMA_4 = `
CREATE TABLE vault (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  vault_id BLOB NOT NULL CHECK (length(vault_id) = 16),
  sequence INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE slots (
  kind TEXT PRIMARY KEY CHECK (kind IN ('keychain', 'passphrase', 'file')),
  blob BLOB,
  location TEXT,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keks (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  generation INTEGER NOT NULL UNIQUE,
  wrapped BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  metadata TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped_dek BLOB NOT NULL,
  payload BLOB,
  field_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (name, environment)
) STRICT;
CREATE INDEX secrets_by_environment ON secrets (environment, name);

CREATE TABLE fields (
  secret_id INTEGER NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  field TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped_dek BLOB NOT NULL,
  payload BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (secret_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE metadata_entries (
  secret_id INTEGER NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (secret_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX metadata_entries_by_value ON metadata_entries (key, value, secret_id);

CREATE TABLE search_texts (
  secret_id INTEGER PRIMARY KEY REFERENCES secrets (id) ON DELETE CASCADE,
  text TEXT NOT NULL
) STRICT;

CREATE TABLE tokens (
  id TEXT PRIMARY KEY CHECK (length(id) = 16),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  kek_id BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;

PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = 4;
`;

/**
 * Lists and search that do not slow down with the number of secrets.
 *
 * - `metadata_entries` knows the name and environment of its secret, so that its two indexes have what matches a filter
 *   in the order of a list.
 * - `search_index` has the trigrams of the search texts: it knows which secrets may contain a text, and `search_texts`
 *   which do. It is filled after the fact, because that takes nearly as long as the rest of the SQL of a new secret:
 *   `search_pending` has the ids of those secrets that it does not know as they now are, the deleted ones included,
 *   and a search looks through their texts one by one.
 */
const SCHEMA_5 = `
ALTER TABLE metadata_entries RENAME TO metadata_entries_4;
CREATE TABLE metadata_entries (
  secret_id INTEGER NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  PRIMARY KEY (secret_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO metadata_entries (secret_id, key, value, name, environment)
  SELECT m.secret_id, m.key, m.value, s.name, s.environment
  FROM metadata_entries_4 m JOIN secrets s ON s.id = m.secret_id
  ORDER BY m.secret_id, m.key;
DROP TABLE metadata_entries_4;
CREATE INDEX metadata_entries_by_key ON metadata_entries (key, name, environment);
CREATE INDEX metadata_entries_by_value ON metadata_entries (key, value, name, environment);

CREATE VIRTUAL TABLE search_index USING fts5 (
  text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE TABLE search_pending (secret_id INTEGER PRIMARY KEY) STRICT;
INSERT INTO search_pending (secret_id) SELECT secret_id FROM search_texts ORDER BY secret_id;
CREATE TRIGGER search_texts_inserted AFTER INSERT ON search_texts BEGIN
  INSERT INTO search_pending (secret_id) VALUES (new.secret_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_texts_updated AFTER UPDATE OF text ON search_texts BEGIN
  INSERT INTO search_pending (secret_id) VALUES (new.secret_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN
  INSERT INTO search_pending (secret_id) VALUES (old.secret_id) ON CONFLICT DO NOTHING;
END;

PRAGMA user_version = 5;
`;

/** What makes a file one of the next version: an empty one of version 4, that one of version 5, and so on. */
const STEPS: ReadonlyMap<number, string> = new Map([
  [4, SCHEMA_4],
  [5, SCHEMA_5],
]);

/** The statements that make a file of schema `version` (0: an empty file) one of schema `newest`. */
export function migrationFrom(version: number, newest = SCHEMA_VERSION): string {
  return [...STEPS].flatMap(([to, step]) => (to > version && to <= newest ? [step] : [])).join('');
}
