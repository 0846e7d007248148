/** Reads entries of the audit log page by page: no more than a page of them is in memory at a time. */
import type { Client } from '../../client/client.ts';
import type { AuditEntry, AuditFilter, AuditPage } from '../../client/types.ts';

/** Entries. The API takes no more. */
const PAGE_SIZE = 1_000;

/** Yields pages with up to `limit` entries together; absent: all. */
export async function* readEntries(
  client: Client,
  filter: AuditFilter,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<AuditPage> {
  let left = limit;
  let cursor: string | undefined;
  do {
    const page = await client.listAudit({ ...filter, cursor, limit: Math.min(left, PAGE_SIZE) });
    yield page;
    left -= page.items.length;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined && left > 0);
}

/** Entries that were read, and what else there is. */
export interface ReadEntries {
  readonly entries: readonly AuditEntry[];
  /** Lines that are no entries, and were passed over. */
  readonly unreadable: number;
  readonly hasMore: boolean;
}

/** Returns up to `limit` entries, all of them in memory. */
export async function collectEntries(
  client: Client,
  filter: AuditFilter,
  limit: number,
): Promise<ReadEntries> {
  const entries: AuditEntry[] = [];
  let unreadable = 0;
  let hasMore = false;
  for await (const page of readEntries(client, filter, limit)) {
    entries.push(...page.items);
    unreadable += page.unreadable;
    hasMore = page.cursor !== null;
  }
  return { entries, unreadable, hasMore };
}
