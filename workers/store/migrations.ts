/**
 * The schema of vault.db, one step a version. Holds no secret.
 *
 * `user_version` counts from 4 because the file format does: the program whose API we keep ended at 3, and a
 * file of its kind must be refused, not half understood. `application_id` says whose file this is.
 */

/** "MAVL" in ASCII. */
export const APPLICATION_ID = 0x4d41564c;

/** The newest schema this program understands. */
export const SCHEMA_VERSION = 4;

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
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** The statements that make an empty file a vault of the newest schema. */
export const CREATE_SCHEMA = SCHEMA_4;
