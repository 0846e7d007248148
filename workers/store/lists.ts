/**
 * The statements behind lists and searches. SQL only; holds no secret.
 *
 * Each walks an index in the order of a list (name, then environment, by their UTF-8 bytes) and stops when its page is
 * full, so that a page costs the same in a vault of any size. Where that is not so:
 * - environment and metadata together: the walk passes what is in other environments (entries of the index only),
 *   unless the environment is small;
 * - a search that at most some thousands match: these are looked up by trigrams, and sorted;
 * - a search for fewer than three characters: all texts are looked through, until that many are found;
 * - a search that more match: the walk passes what does not match, which is little unless the matches lie far back;
 * - a list without a limit has no end to stop at.
 */

import type { SecretName } from '../messages.ts';

export interface ListFilter {
  readonly environment?: string;
  readonly metadataKey?: string;
  readonly metadataValue?: string;
  /** Folded like the search texts. */
  readonly searchText?: string;
  /** The page starts just after this secret. */
  readonly after?: SecretName;
  /** At most so many rows; absent: all. */
  readonly limit?: number;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** What is known of a filter beforehand, and decides which index is walked. */
export interface Hints {
  /** Few secrets are in the filter's environment. */
  readonly isEnvironmentSmall: boolean;
  /** All the ids that may match the filter's search text; null: not known, or too many. */
  readonly candidates: readonly number[] | null;
}

/** Where rows come from: FROM, and the conditions that belong to it; `order` is the alias whose index is walked. */
interface Source extends Statement {
  readonly order: 's' | 'm';
}

/** `columns` are those of `s`, the secrets. The joins stand in the order in which they are to be made. */
export function buildListStatement(columns: string, filter: ListFilter, hints: Hints): Statement {
  const { sql, values, order } = chooseSource(filter, hints);
  const { after, limit } = filter;
  return {
    sql: `SELECT ${columns} FROM ${sql} ${after === undefined ? '' : startAfter(order)}
      ORDER BY ${order}.name, ${order}.environment ${limit === undefined ? '' : 'LIMIT ?'}`,
    values: [
      ...values,
      ...(after === undefined ? [] : [after.name, after.name, after.environment]),
      ...(limit === undefined ? [] : [limit]),
    ],
  };
}

/** The first condition says nothing new, but within one environment it is what an index can start at. */
function startAfter(order: string): string {
  return `AND ${order}.name >= ? AND (${order}.name, ${order}.environment) > (?, ?)`;
}

function chooseSource(filter: ListFilter, { isEnvironmentSmall, candidates }: Hints): Source {
  if (filter.searchText !== undefined) return fromSearchTexts(filter.searchText, candidates);
  if (filter.metadataKey !== undefined) {
    return isEnvironmentSmall ? fromEnvironment(filter) : fromMetadata(filter, filter.metadataKey);
  }
  return filter.environment === undefined ? fromAll() : fromEnvironment(filter);
}

const BY_NAME = 'secrets s INDEXED BY sqlite_autoindex_secrets_1';

function fromAll(): Source {
  return { order: 's', sql: `${BY_NAME} WHERE TRUE`, values: [] };
}

/** The candidates have to be sorted, so they must not be too many; without them it is a walk through everything. */
function fromSearchTexts(text: string, candidates: readonly number[] | null): Source {
  const [secrets, values] =
    candidates === null
      ? [BY_NAME, []]
      : ['json_each(?) c CROSS JOIN secrets s ON s.id = c.value', [JSON.stringify(candidates)]];
  return {
    order: 's',
    sql: `${secrets} CROSS JOIN search_texts t ON t.secret_id = s.id WHERE instr(t.text, ?) > 0`,
    values: [...values, text],
  };
}

function fromEnvironment({ environment = '', metadataKey, metadataValue }: ListFilter): Source {
  const join = metadataKey === undefined ? '' : 'CROSS JOIN metadata_entries m ON m.secret_id = s.id';
  return {
    order: 's',
    sql: `secrets s INDEXED BY secrets_by_environment ${join} WHERE s.environment = ?
      ${metadataKey === undefined ? '' : 'AND m.key = ?'} ${metadataValue === undefined ? '' : 'AND m.value = ?'}`,
    values: [environment, ...[metadataKey, metadataValue].filter((given) => given !== undefined)],
  };
}

/** An entry that does not say where its secret is was changed in the file: pages must not go astray after it. */
function fromMetadata({ environment, metadataValue }: ListFilter, key: string): Source {
  const index = metadataValue === undefined ? 'metadata_entries_by_key' : 'metadata_entries_by_value';
  return {
    order: 'm',
    sql: `metadata_entries m INDEXED BY ${index}
      CROSS JOIN secrets s ON s.id = m.secret_id AND s.name = m.name AND s.environment = m.environment
      WHERE m.key = ? ${metadataValue === undefined ? '' : 'AND m.value = ?'}
      ${environment === undefined ? '' : 'AND m.environment = ?'}`,
    values: [key, ...[metadataValue, environment].filter((given) => given !== undefined)],
  };
}
