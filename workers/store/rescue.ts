/**
 * Reading past damage: what can still be read of a file with bad pages. Holds no secret.
 *
 * A walk through the rows ends at the first bad page. Then the places of the rest come from an index, or from the other
 * one where the first is damaged too, and each row is read by itself, so that only those on bad pages are missing.
 */
import type { ListFilter } from './lists.ts';
import { PLACE_INDEXES, type Place, type PlaceRow, type SecretReader, type SecretRow } from './secrets.ts';
import { findDamageCode } from './unusable.ts';

export interface Readable {
  readonly place: Place;
  /** Throws SQLite's error where the row is on a bad page. */
  readonly read: () => SecretRow;
}

/** As `listRows`. Throws SQLite's error where not even the places can be read. */
export function* listReadable(secrets: SecretReader, filter: ListFilter): Generator<Readable> {
  let { after, limit } = filter;
  try {
    for (const row of secrets.listRows(filter)) {
      yield { place: row, read: () => row };
      after = row;
      if (limit !== undefined) limit -= 1;
    }
  } catch (error) {
    // No index has the places of those with some metadata, and whole rows.
    if (findDamageCode(error) === null || filter.metadataKey !== undefined) throw error;
    const rest: ListFilter = {
      ...filter,
      ...(after === undefined ? {} : { after }),
      ...(limit === undefined ? {} : { limit }),
    };
    yield* listByPlaces(secrets, rest, error);
  }
}

function* listByPlaces(secrets: SecretReader, filter: ListFilter, damage: unknown): Generator<Readable> {
  for (const place of findPlaces(secrets, filter)) {
    yield {
      place,
      read: () => {
        const row = secrets.findById(place.id);
        // What the index says of the row is as good as the table's own.
        if (row?.name !== place.name || row.environment !== place.environment) throw damage;
        return row;
      },
    };
  }
}

function findPlaces(secrets: SecretReader, filter: ListFilter): PlaceRow[] {
  const [first, second] = PLACE_INDEXES;
  try {
    return secrets.listPlaces(filter, first);
  } catch (error) {
    if (findDamageCode(error) === null) throw error;
    return secrets.listPlaces(filter, second);
  }
}
