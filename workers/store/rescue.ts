/**
 * Reads what can still be read of a file with bad pages.
 *
 * A walk through the rows ends at the first bad page. After that the names of the remaining rows come from an index, or
 * from the second index if the first is damaged too, and each row is read on its own. So only rows on bad pages are missing.
 */

import type { SecretName } from '../messages.ts';
import type { SecretRow } from './columns.ts';
import type { ListFilter } from './lists.ts';
import { NAME_INDEXES, type SecretNameRow, type SecretReader } from './secrets.ts';
import { findDamageCode } from './unusable.ts';

type Listed = Pick<SecretReader, 'listRows' | 'listNames' | 'findById'>;

export interface Readable {
  readonly name: SecretName;
  /** Throws SQLite's error if the row is on a bad page. */
  readonly read: () => SecretRow;
}

/** As `listRows`. Throws SQLite's error if not even the names can be read. */
export function* listReadable(secrets: Listed, filter: ListFilter): Generator<Readable> {
  let { after, limit } = filter;
  try {
    for (const row of secrets.listRows(filter)) {
      yield { name: row, read: () => row };
      after = row;
      if (limit !== undefined) limit -= 1;
    }
  } catch (error) {
    // The metadata index is no substitute: it lies on other pages than the rows and may be damaged itself.
    if (findDamageCode(error) === null || filter.metadataKey !== undefined) throw error;
    const rest: ListFilter = {
      ...filter,
      ...(after === undefined ? {} : { after }),
      ...(limit === undefined ? {} : { limit }),
    };
    yield* readByNames(secrets, rest, error);
  }
}

function* readByNames(secrets: Listed, filter: ListFilter, damage: unknown): Generator<Readable> {
  for (const name of findNames(secrets, filter)) {
    yield {
      name,
      read: () => {
        const row = secrets.findById(name.id);
        // A row that differs from its index entry counts as damaged: nothing tells which of the two is right.
        if (row?.name !== name.name || row.environment !== name.environment) throw damage;
        return row;
      },
    };
  }
}

function findNames(secrets: Listed, filter: ListFilter): SecretNameRow[] {
  const [first, second] = NAME_INDEXES;
  try {
    return secrets.listNames(filter, first);
  } catch (error) {
    if (findDamageCode(error) === null) throw error;
    return secrets.listNames(filter, second);
  }
}
