/**
 * The schema of vault.db.
 *
 * `user_version` counts from 4 because the file format does: the program whose API this one keeps ended at 3, and its
 * files must be refused. `application_id` tells this program's files from others.
 */
import type { SlotKind } from '../messages.ts';

/** "MAVL" in ASCII. */
export const APPLICATION_ID = 0x4d41564c;

/** The only schema that this program reads and writes. */
export const SCHEMA_VERSION = 10;

/** A kind of `SlotKind` that is missing here does not compile. */
const SLOT_KINDS: Readonly<Record<SlotKind, true>> = {
  keychain: true,
  passphrase: true,
  file: true,
  recovery: true,
};
const QUOTED_SLOT_KINDS = Object.keys(SLOT_KINDS)
  .map((kind) => `'${kind}'`)
  .join(', ');

/** The bytes of a version that differ from version to version. */
const sizeOf = (row: string) => `(octet_length(${row}.metadata) + coalesce(length(${row}.payload), 0))`;

/**
 * - `vault` has one row. `version_count` and `history_bytes` are kept by triggers, because counting takes too long.
 *   `sequence` numbers every encrypted value of the vault, so that no version is ever used twice. The ids
 *   of secrets come from it too, so that a new secret never gets the history of another.
 * - A secret without a value (fields only) has `payload` NULL and `version` 0; both are bound by its wrapped DEK.
 * - `fields` has rowids, although its key is the secret and the field: on its way through a tree without them SQLite would read
 *   whole rows, with values that nobody asked for.
 * - `versions` has what secrets were before their changes, and each deletion as a version of its own, without a value. Where
 *   the next version has the same value (the same `version`), only the newer row has the payload.
 * - `old_fields` has the fields that were replaced or deleted. A field belongs to the versions of its secret from `revision`
 *   to the one before `until`.
 *   Both have rowids: their rows are appended, so that a write of one transaction shares its pages with the others'. In a tree by
 *   secret a row of 1 kB would need an overflow page, and a PUT would take half as long again.
 * - `deleted` has the secrets that can be restored.
 * - `payload` is the last column of its table, so that lists and row digests are read without it.
 * - `metadata_entries`, `search_texts` and `search_index` are indexes: made from the metadata, never the source of a
 *   reply. `metadata_entries` repeats its secret's name and environment, so that its two indexes have the matches of a
 *   filter in the order of a list.
 * - `search_index` has the trigrams of the search texts. It tells which secrets may contain a text; `search_texts` tells
 *   which do. It is filled later, because that takes nearly as long as the rest of the SQL of a new secret.
 *   `search_pending` has the ids of secrets whose index entries are out of date, deleted ones included; a search looks
 *   through their texts one by one.
 * - `rotation` has a row while the keys are wrapped again: how far that is. The newest of `keks` is then current already.
 * - `audit_segments` has the files of the audit log: `bytes`, `entries` and `mac` say what a file has at the least, and if it is
 *   closed exactly. `audit_writes` has the batches about writes until their file is synced: the write's own sync is theirs, too.
 * - `row_set` has one row, the MAC over the rows of the other tables (covered-rows.ts). `epoch` counts the commits that changed one,
 *   and `written_at` is the time of the last.
 */
export const SCHEMA = `
CREATE TABLE vault (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  vault_id BLOB NOT NULL CHECK (length(vault_id) = 16),
  sequence INTEGER NOT NULL DEFAULT 0,
  version_count INTEGER NOT NULL DEFAULT 0,
  history_bytes INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE slots (
  id TEXT PRIMARY KEY CHECK (length(id) = 8),
  kind TEXT NOT NULL CHECK (kind IN (${QUOTED_SLOT_KINDS})),
  blob BLOB,
  location TEXT,
  created_at INTEGER NOT NULL,
  mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

CREATE TABLE keks (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  generation INTEGER NOT NULL UNIQUE,
  wrapped BLOB NOT NULL,
  wraps INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rotation (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation INTEGER NOT NULL,
  reencrypts INTEGER NOT NULL CHECK (reencrypts IN (0, 1)),
  stage TEXT NOT NULL CHECK (stage IN ('secrets', 'others', 'left')),
  done_id INTEGER NOT NULL,
  done INTEGER NOT NULL,
  total INTEGER NOT NULL,
  started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  metadata TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped_dek BLOB NOT NULL,
  field_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  written_by TEXT NOT NULL,
  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  expires_at INTEGER NOT NULL,
  rotate_by INTEGER NOT NULL,
  confirm INTEGER NOT NULL CHECK (confirm IN (0, 1, 2)),
  revision INTEGER NOT NULL,
  change TEXT NOT NULL,
  payload BLOB,
  UNIQUE (name, environment)
) STRICT;
CREATE INDEX secrets_by_environment ON secrets (environment, name);

CREATE INDEX secrets_due ON secrets (name, environment, expires_at, rotate_by) WHERE expires_at > 0 OR rotate_by > 0;

CREATE TABLE fields (
  secret_id INTEGER NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  field TEXT NOT NULL,
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  wrapped_dek BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  written_by TEXT NOT NULL,
  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  payload BLOB NOT NULL,
  PRIMARY KEY (secret_id, field)
) STRICT;

CREATE TABLE versions (
  secret_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  metadata TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped_dek BLOB NOT NULL,
  field_count INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  written_by TEXT NOT NULL,
  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  expires_at INTEGER NOT NULL,
  rotate_by INTEGER NOT NULL,
  confirm INTEGER NOT NULL CHECK (confirm IN (0, 1, 2)),
  change TEXT NOT NULL,
  payload BLOB,
  PRIMARY KEY (secret_id, revision)
) STRICT;

CREATE TABLE old_fields (
  secret_id INTEGER NOT NULL,
  until INTEGER NOT NULL,
  field TEXT NOT NULL,
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  wrapped_dek BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  written_by TEXT NOT NULL,
  accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
  payload BLOB NOT NULL,
  PRIMARY KEY (secret_id, until, field)
) STRICT;

CREATE TRIGGER versions_inserted AFTER INSERT ON versions BEGIN
  UPDATE vault SET version_count = version_count + 1, history_bytes = history_bytes + ${sizeOf('new')};
END;
CREATE TRIGGER versions_updated AFTER UPDATE OF metadata, payload ON versions BEGIN
  UPDATE vault SET history_bytes = history_bytes + ${sizeOf('new')} - ${sizeOf('old')};
END;
CREATE TRIGGER versions_deleted AFTER DELETE ON versions BEGIN
  UPDATE vault SET version_count = version_count - 1, history_bytes = history_bytes - ${sizeOf('old')};
END;
CREATE TRIGGER old_fields_inserted AFTER INSERT ON old_fields BEGIN
  UPDATE vault SET history_bytes = history_bytes + length(new.payload);
END;
CREATE TRIGGER old_fields_updated AFTER UPDATE OF payload ON old_fields BEGIN
  UPDATE vault SET history_bytes = history_bytes + length(new.payload) - length(old.payload);
END;
CREATE TRIGGER old_fields_deleted AFTER DELETE ON old_fields BEGIN
  UPDATE vault SET history_bytes = history_bytes - length(old.payload);
END;

CREATE TABLE deleted (
  secret_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deleted_by_name ON deleted (name, environment, secret_id);
CREATE INDEX deleted_by_time ON deleted (deleted_at);

CREATE TABLE metadata_entries (
  secret_id INTEGER NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  name TEXT NOT NULL,
  environment TEXT NOT NULL,
  PRIMARY KEY (secret_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX metadata_entries_by_key ON metadata_entries (key, name, environment);
CREATE INDEX metadata_entries_by_value ON metadata_entries (key, value, name, environment);

CREATE TABLE search_texts (
  secret_id INTEGER PRIMARY KEY REFERENCES secrets (id) ON DELETE CASCADE,
  text TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE search_index USING fts5 (
  text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE TABLE search_pending (secret_id INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER search_texts_inserted AFTER INSERT ON search_texts BEGIN
  INSERT INTO search_pending (secret_id) VALUES (new.secret_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_texts_updated AFTER UPDATE OF text ON search_texts BEGIN
  INSERT INTO search_pending (secret_id) VALUES (new.secret_id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN
  INSERT INTO search_pending (secret_id) VALUES (old.secret_id) ON CONFLICT DO NOTHING;
END;

CREATE TABLE tokens (
  id TEXT PRIMARY KEY CHECK (length(id) = 16),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)),
  confirm INTEGER NOT NULL CHECK (confirm IN (0, 1, 2)),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  not_before INTEGER,
  limits TEXT NOT NULL,
  max_uses INTEGER,
  uses INTEGER NOT NULL,
  last_used_at INTEGER,
  kek_id BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;

CREATE TABLE audit_segments (
  id INTEGER PRIMARY KEY,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  mac BLOB NOT NULL CHECK (length(mac) IN (0, 32)),
  wrapped_key BLOB NOT NULL
) STRICT;

CREATE TABLE audit_writes (
  id INTEGER PRIMARY KEY,
  segment INTEGER NOT NULL,
  position INTEGER NOT NULL,
  block BLOB NOT NULL
) STRICT;

CREATE TABLE row_set (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  epoch INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  wrapped_key BLOB NOT NULL,
  state BLOB NOT NULL
) STRICT;

PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;
