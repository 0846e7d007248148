/**
 * Handlers of secrets: list, search, get, put, patch, delete. A request's value belongs to the caller, who zeroes it; a
 * stored value is decrypted straight into the reply, by `writeEntry`.
 */

import { getTerms } from '../bodies/due-dates.ts';
import { encodeCursor, getListFilter, getSearchFilter, getSecretName } from '../bodies/parameters.ts';
import type { BodyHandler, Handler, Outcome } from '../calls.ts';
import {
  changeSecret,
  findForWrite,
  getForWrite,
  NO_METADATA,
  NO_TERMS,
  storeSecret,
} from '../entries/entries.ts';
import { checkStoredSize, putOffIfLarge } from '../entries/entry-size.ts';
import { removeSecret } from '../entries/history.ts';
import { entityTag } from '../entries/preconditions.ts';
import { getAskedVersion } from '../entries/versions.ts';
import { writeEntry, writeSummary } from '../entries/write-entry.ts';
import { MAX_REPLY_SIZE, type ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import type { PageBounds } from '../messages.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';
import type { SecretSummary } from '../store/columns.ts';
import type { ListFilter } from '../store/lists.ts';

export const listSecrets: Handler<ReadableVault> = (vault, call, reply) =>
  writeSummaries(vault, getListFilter(call), call.page, reply);

export const searchSecrets: Handler<ReadableVault> = (vault, call, reply) =>
  writeSummaries(vault, getSearchFilter(call), call.page, reply);

/** Writes a JSON array of summaries. The cursor is set if the filter's limit or `page` cut the list short. */
function writeSummaries(
  vault: ReadableVault,
  filter: ListFilter,
  page: PageBounds | undefined,
  reply: ReplyBuffer,
): Outcome {
  const { limit } = filter;
  const bounds = boundPage(limit, page);
  const start = reply.length;
  let last: SecretSummary | null = null;
  let count = 0;
  // One row more than the page shows whether there is another page.
  for (const row of vault.secrets.list(limit === undefined ? filter : { ...filter, limit: limit + 1 })) {
    if (last !== null && (count >= bounds.rows || reply.length - start >= bounds.bytes)) {
      reply.ascii(']');
      return { cursor: encodeCursor(last) };
    }
    reply.ascii(last === null ? '[' : ',');
    writeSummary(vault, row, reply);
    last = row;
    count += 1;
  }
  reply.ascii(last === null ? '[]' : ']');
  return {};
}

/** A page may be shorter than the client's limit. The cursor says that there is more. */
function boundPage(limit = Number.POSITIVE_INFINITY, page?: PageBounds): PageBounds {
  const { rows, bytes } = page ?? { rows: limit, bytes: MAX_REPLY_SIZE };
  return { rows: Math.min(limit, rows), bytes: Math.min(MAX_REPLY_SIZE, bytes) };
}

export const getSecret: Handler<ReadableVault> = (vault, call, reply) => {
  const { vault: at, row } = getAskedVersion(vault, call, getSecretName(call));
  putOffIfLarge(at, row);
  writeEntry(at, row, reply);
  return { etag: entityTag(row) };
};

export const putSecret: BodyHandler<'secrets.put'> = (vault, call, reply, request) => {
  const name = getSecretName(call);
  const existing = findForWrite(vault, call, name);
  const { value, metadata = NO_METADATA } = request;
  const terms = { ...NO_TERMS, ...getTerms(request) };
  const stored = storeSecret(vault, name, existing, value, metadata, terms);
  checkStoredSize(vault, stored, 'value');
  writeStatus('stored', { name: name.name, version: stored.revision }, reply);
};

export const patchSecret: BodyHandler<'secrets.patch'> = (vault, call, reply, request) => {
  const name = getSecretName(call);
  const row = getForWrite(vault, call, name);
  const stored = changeSecret(vault, row, { ...request, terms: getTerms(request) });
  checkStoredSize(vault, stored, request.value === undefined ? 'metadata' : 'value');
  writeStatus('updated', { name: name.name, version: stored.revision }, reply);
};

export const deleteSecret: Handler<WritableVault> = (vault, call, reply) => {
  const name = getSecretName(call);
  removeSecret(vault, getForWrite(vault, call, name));
  writeStatus('deleted', { name: name.name }, reply);
};
