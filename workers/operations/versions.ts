/**
 * Handlers of what secrets were: list their versions, make an old one the current one, list deleted secrets, restore them, and
 * purge, after which nothing of a secret is left. Rows are verified before they are shown; no value is decrypted here.
 */
import { encodeDeletedCursor, getDeletedFilter, getSecretName } from '../bodies/parameters.ts';
import type { BodyHandler, Handler } from '../calls.ts';
import { noSuchSecret, requireWholeSecrets } from '../entries/access.ts';
import {
  findDeletionOf,
  findNewestGenuine,
  getDeletion,
  isGenuineVersion,
  isSameName,
} from '../entries/deletions.ts';
import { findForWrite, getForWrite } from '../entries/entries.ts';
import { putOffIfMany } from '../entries/entry-size.ts';
import { findKeptSeconds, keepFields, keepVersion, pruneVersions } from '../entries/history.ts';
import { type StoredEntry, storeAgain } from '../entries/store-again.ts';
import { checkVersion } from '../entries/versions.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import { formatTime } from '../json/times.ts';
import type { SecretName } from '../messages.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';
import type { DeletedRow, SecretRow, VersionHead, VersionRow } from '../store/columns.ts';

/** The members of a row that was changed without the key. */
const CHANGED = { error: new IntegrityError().message, code: 'integrity' } as const;

export const listVersions: Handler<ReadableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  const current = vault.secrets.find(name);
  const id = current?.id ?? getDeletion(vault, name)?.id;
  if (id === undefined) throw noSuchSecret();
  const all = [...(current === null ? [] : [current]), ...vault.history.list(id)];
  // Of versions under another name, those that the token may reach under that name.
  const rows = all.filter(vault.access.allowsSecret);
  putOffIfMany(
    vault,
    rows.reduce((sum, { fieldCount }) => sum + fieldCount, 0),
  );
  reply.ascii('{"versions":[');
  for (const [index, row] of rows.entries()) {
    if (index > 0) reply.ascii(',');
    writeVersion(vault, name, row, reply);
  }
  reply.ascii(']}');
};

/** A version under another name says that name. One that was changed without the key says so. */
function writeVersion(
  vault: ReadableVault,
  asked: SecretName,
  row: SecretRow | VersionHead,
  reply: ReplyBuffer,
): void {
  const { revision, updatedAt, writtenBy, change, name, environment } = row;
  const member = {
    version: revision,
    created_at: formatTime(updatedAt),
    written_by: writtenBy,
    change,
    ...(isSameName(row, asked) ? {} : { name, environment }),
    ...(isGenuineVersion(vault, row) ? {} : CHANGED),
  };
  reply.raw(JSON.stringify(member));
}

const ROLLED_BACK = { hasFieldsOfToday: false, isNew: false } as const;

export const rollbackSecret: BodyHandler<'secrets.rollback'> = (vault, call, reply, request) => {
  const name = getSecretName(call);
  const row = getForWrite(vault, call, name);
  const old = getRollbackVersion(vault, row, request.version);
  const entry = withOldFields(vault, old);
  const revision = row.revision + 1;
  keepVersion(vault, { ...row, fields: vault.secrets.listFieldHeads(row.id) }, true);
  keepFields(vault, row.id, revision);
  vault.writer.deleteFields(row.id);
  storeAgain(vault, entry, { ...name, id: row.id, revision, confirm: row.confirm, ...ROLLED_BACK });
  writeStatus('rolled_back', { name: name.name, version: revision, restored_version: old.revision }, reply);
};

function getRollbackVersion(vault: WritableVault, current: SecretRow, version: number): VersionRow {
  if (version === current.revision)
    throw new RequestError('bad_request', 'this is the current version already', { member: 'version' });
  if (version > current.revision) throw new RequestError('not_found', 'the secret has no such version');
  const old = vault.history.find(current.id, version);
  if (old === null)
    throw new RequestError(
      'gone',
      `version ${version} is not kept any more; mav history shows those that are`,
    );
  checkVersion(vault, old);
  return old;
}

function withOldFields(vault: WritableVault, old: VersionRow): StoredEntry {
  return { ...old, fields: vault.history.readFieldsAt(old).listFields(old.id) };
}

export const listDeleted: Handler<ReadableVault> = (vault, call, reply) => {
  const { limit, ...filter } = getDeletedFilter(call);
  const rows = vault.history.listDeleted({ ...filter, limit: limit + 1 });
  reply.ascii('[');
  for (const [index, row] of rows.slice(0, limit).entries()) {
    if (index > 0) reply.ascii(',');
    writeDeleted(vault, row, reply);
  }
  reply.ascii(']');
  const last = rows[limit - 1];
  return rows.length > limit && last !== undefined ? { cursor: encodeDeletedCursor(last) } : undefined;
};

/** A row that was changed without the key says so: its secret cannot be restored under that name. */
function writeDeleted(vault: ReadableVault, row: DeletedRow, reply: ReplyBuffer): void {
  const deletion = findDeletionOf(vault, row);
  const member = {
    name: row.name,
    environment: row.environment,
    version: deletion?.revision ?? 0,
    deleted_at: formatTime(row.deletedAt),
    deleted_by: deletion?.writtenBy ?? '',
    kept_until: formatTime(row.deletedAt + findKeptSeconds(vault.historyLimits)),
    ...(deletion === null ? CHANGED : {}),
  };
  reply.raw(JSON.stringify(member));
}

export const restoreSecret: Handler<WritableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  if (vault.secrets.find(name) !== null)
    throw new RequestError('conflict', 'there is a secret of this name; rename it first');
  const deletion = getDeletion(vault, name);
  if (deletion === null) throw new RequestError('not_found', 'no deleted secret of this name is kept');
  const { id, confirm } = deletion;
  // An older version in its place would be restored unnoticed.
  const last = vault.history.find(id, deletion.revision - 1);
  if (last === null || last.change === 'delete') throw new IntegrityError();
  const revision = deletion.revision + 1;
  vault.historyWriter.removeDeleted(id);
  const entry = withOldFields(vault, last);
  storeAgain(vault, entry, { ...name, id, revision, confirm, hasFieldsOfToday: true, isNew: true });
  pruneVersions(vault, id, revision);
  writeStatus('restored', { name: name.name, version: revision }, reply);
};

export const purgeSecret: Handler<WritableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  requireWholeSecrets(vault);
  const row = findForWrite(vault, call, name);
  const deleted = vault.history.listDeletedAs(name);
  if (row === null && deleted.length === 0) throw noSuchSecret();
  if (row !== null) {
    vault.writer.delete(row.id);
    vault.historyWriter.purge(row.id);
  }
  for (const { secretId } of deleted) {
    if (isOfAnother(vault, secretId, name)) vault.historyWriter.removeDeleted(secretId);
    else vault.historyWriter.purge(secretId);
  }
  vault.noteChange(name, 0, 'purge');
  writeStatus('purged', { name: name.name }, reply);
};

/** Returns whether a row of `deleted` was pointed at another secret, which must not be purged with this one. */
function isOfAnother(vault: WritableVault, secretId: number, name: SecretName): boolean {
  if (vault.secrets.findById(secretId) !== null) return true;
  const newest = findNewestGenuine(vault, secretId);
  return newest !== undefined && !isSameName(newest, name);
}
