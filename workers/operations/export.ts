/**
 * Export: whole entries, page by page. Holds each value's plaintext between opening it and writing it into the reply,
 * as bytes only; it is zeroed there (`writeEntry`), and what was written of an entry that fails is zeroed here.
 */
import type { Handler, Outcome } from '../calls.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import type { ReplyBuffer } from '../reply.ts';
import type { SecretRow } from '../store/secrets.ts';
import type { ReadableVault } from '../vault.ts';
import { encodeCursor, getExportFilter } from './parameters.ts';
import { writeEntry, writeNames } from './secrets.ts';

/** A page that has grown beyond this takes no further entry: its bytes lie in memory whole. */
const PAGE_SIZE = 4 * 1_048_576;
/** How many entries the log names at most, of those that cannot be read. */
const MAX_NAMED = 20;

export const exportSecrets: Handler<ReadableVault> = (vault, call, reply) => {
  const { limit, ...filter } = getExportFilter(call);
  const start = reply.length;
  const unreadable: SecretRow[] = [];
  let last: SecretRow | null = null;
  let cursor: string | null = null;
  let count = 0;
  reply.ascii('[');
  // One row more than the page shows whether there is another page.
  for (const row of vault.secrets.listRows({ ...filter, limit: limit + 1 })) {
    if (last !== null && (count === limit || reply.length - start > PAGE_SIZE)) {
      cursor = encodeCursor(last);
      break;
    }
    if (last !== null) reply.ascii(',');
    if (!writeEntryOrError(vault, row, reply)) unreadable.push(row);
    last = row;
    count += 1;
  }
  reply.ascii(']');
  return describeOutcome(cursor, unreadable);
};

/** One changed row must not spoil the page: it is answered as an error in its place. Whether it could be read. */
function writeEntryOrError(vault: ReadableVault, row: SecretRow, reply: ReplyBuffer): boolean {
  const offset = reply.length;
  try {
    writeEntry(vault, row, reply);
    return true;
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    reply.truncate(offset);
    writeNames(row, reply);
    reply.ascii(`,"error":${JSON.stringify(error.message)},"code":"integrity"}`);
    return false;
  }
}

function describeOutcome(cursor: string | null, unreadable: readonly SecretRow[]): Outcome {
  return {
    ...(cursor === null ? {} : { cursor }),
    ...(unreadable.length === 0 ? {} : { warning: describeUnreadable('export', unreadable) }),
  };
}

/** For the log: which entries failed verification, by name. */
export function describeUnreadable(
  during: string,
  rows: readonly { readonly name: string; readonly environment: string }[],
): string {
  const names = rows.slice(0, MAX_NAMED).map(({ name, environment }) => JSON.stringify([name, environment]));
  const more = rows.length > MAX_NAMED ? ` and ${rows.length - MAX_NAMED} more` : '';
  return `${during}: entries that fail verification, as [name, environment]: ${names.join(', ')}${more}`;
}
