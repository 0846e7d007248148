/**
 * Builds the statements of lists and searches.
 *
 * A statement walks an index in the order of the list (name, then environment, by their UTF-8 bytes) and stops when the page
 * is full. So a page costs the same in a vault of any size, with these exceptions:
 * - environment and metadata together: unless the environment is small, the walk passes index entries of other ones;
 * - a search with at most some thousands of matches: they are found by trigrams and then sorted;
 * - a search for fewer than three characters: the texts are read one by one until some thousands of matches are found;
 * - a search with more matches: the walk passes secrets that do not match, many of them if the matches come late;
 * - a list without a limit: the walk goes on to the end.
 */

import type { SecretName } from '../messages.ts';

export interface ListFilter {
  readonly environment?: string;
  readonly metadataKey?: string;
  readonly metadataValue?: string;
  /** Unix seconds: only secrets with a due date until then. */
  readonly dueBefore?: number;
  /** Folded like the search texts. */
  readonly searchText?: string;
  /** The page starts just after this secret. */
  readonly after?: SecretName;
  /** The most rows to return; absent: all. */
  readonly limit?: number;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** Facts about a filter that decide which index is walked. */
export interface Hints {
  /** Whether the filter's environment has few secrets. */
  readonly isEnvironmentSmall: boolean;
  /** The ids of all secrets that may match the filter's search text; null if there is no such text, or too many ids. */
  readonly candidates: readonly number[] | null;
}

/** A FROM clause with its conditions. `order` is the alias of the table whose index is walked. */
interface Source extends Statement {
  readonly order: 's' | 'm';
}

/** `columns` are columns of `s`, the secrets. SQLite makes a CROSS JOIN in the order in which its tables stand. */
export function buildListStatement(columns: string, filter: ListFilter, hints: Hints): Statement {
  const { sql, values, order } = chooseSource(filter, hints);
  const { after, limit, dueBefore } = filter;
  return {
    sql: `SELECT ${columns} FROM ${sql} ${dueBefore === undefined ? '' : `AND ${IS_DUE}`} ${after === undefined ? '' : startAfter(order)}
      ORDER BY ${order}.name, ${order}.environment ${limit === undefined ? '' : 'LIMIT ?'}`,
    values: [
      ...values,
      ...(dueBefore === undefined ? [] : [dueBefore, dueBefore]),
      ...(after === undefined ? [] : [after.name, after.name, after.environment]),
      ...(limit === undefined ? [] : [limit]),
    ],
  };
}

/** The second condition implies the first, but SQLite needs the first to start inside the index of an environment. */
function startAfter(order: string): string {
  return `AND ${order}.name >= ? AND (${order}.name, ${order}.environment) > (?, ?)`;
}

function chooseSource(filter: ListFilter, { isEnvironmentSmall, candidates }: Hints): Source {
  if (filter.searchText !== undefined) return fromSearchTexts(filter.searchText, candidates);
  if (filter.metadataKey !== undefined) {
    return isEnvironmentSmall ? fromEnvironment(filter) : fromMetadata(filter, filter.metadataKey);
  }
  if (filter.dueBefore !== undefined) return fromDue(filter);
  return filter.environment === undefined ? fromAll() : fromEnvironment(filter);
}

/** Takes the time twice. */
export const IS_DUE = '(s.expires_at BETWEEN 1 AND ? OR s.rotate_by BETWEEN 1 AND ?)';

/** The index has only the secrets with a due date, of which there are mostly few. */
function fromDue({ environment }: ListFilter): Source {
  return {
    order: 's',
    sql: `secrets s INDEXED BY secrets_due WHERE (s.expires_at > 0 OR s.rotate_by > 0)
      ${environment === undefined ? '' : 'AND s.environment = ?'}`,
    values: environment === undefined ? [] : [environment],
  };
}

const BY_NAME = 'secrets s INDEXED BY sqlite_autoindex_secrets_1';

function fromAll(): Source {
  return { order: 's', sql: `${BY_NAME} WHERE TRUE`, values: [] };
}

/** SQLite sorts the candidates, so there must not be too many. Without candidates it walks all secrets. */
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

/** The join compares names too: an entry that was changed in the file must not decide where the next page starts. */
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
