/**
 * The vault as a limited token has it. Every handler works with such a vault, so that no route can forget the limits: a
 * secret that the token may not reach is not there, for reading and for writing. Decrypts nothing.
 */
import type { SecretName } from '../messages.ts';
import type { HistorySource, ReadableVault, SecretSource } from '../open-vault.ts';
import type { DeletedRow, SecretRow, SecretSummary } from '../store/columns.ts';
import type { DeletedFilter } from '../store/history.ts';
import type { ListFilter } from '../store/lists.ts';
import type { SecretNameRow } from '../store/secrets.ts';
import { type Access, noSuchSecret, parseAccess } from './access.ts';

/** Returns a vault that has only what the token with these limits may reach. */
export function limitVault<Vault extends ReadableVault>(vault: Vault, limits: string | undefined): Vault {
  if (limits === undefined) return vault;
  const access = parseAccess(limits);
  return {
    ...vault,
    access,
    secrets: new LimitedSecrets(vault.secrets, access),
    history: new LimitedHistory(vault.history, access),
  };
}

/** The secrets that a token may reach. The others are not there, and cannot be made either: `find` throws for them. */
class LimitedSecrets implements SecretSource {
  readonly #all: SecretSource;
  readonly #access: Access;

  constructor(all: SecretSource, access: Access) {
    this.#all = all;
    this.#access = access;
  }

  find(name: SecretName): SecretRow | null {
    if (!this.#access.allowsSecret(name)) throw noSuchSecret();
    return this.#all.find(name);
  }

  /** Of an id that the caller has from a secret that may be reached. */
  findById(id: number): SecretRow | null {
    return this.#all.findById(id);
  }

  *list(filter: ListFilter): IterableIterator<SecretSummary> {
    yield* this.#filter(this.#all.list(this.#narrow(filter)), filter.limit);
  }

  *listRows(filter: ListFilter): IterableIterator<SecretRow> {
    yield* this.#filter(this.#all.listRows(this.#narrow(filter)), filter.limit);
  }

  listNames(filter: ListFilter, index: Parameters<SecretSource['listNames']>[1]): SecretNameRow[] {
    return [...this.#filter(this.#all.listNames(this.#narrow(filter), index), filter.limit)];
  }

  /** Rows are counted after they are filtered. Where one environment is all that may be reached, no other is walked. */
  #narrow({ limit: _limit, ...filter }: ListFilter): ListFilter {
    const { onlyEnvironment } = this.#access;
    if (onlyEnvironment === null || filter.environment !== undefined) return filter;
    return { ...filter, environment: onlyEnvironment };
  }

  *#filter<Row extends SecretName>(rows: Iterable<Row>, limit = Number.POSITIVE_INFINITY): Generator<Row> {
    let left = limit;
    for (const row of rows) {
      if (left === 0) return;
      if (!this.#access.allowsSecret(row)) continue;
      yield row;
      left -= 1;
    }
  }

  count(): number {
    return this.#count(this.#all.list(this.#narrow({})));
  }

  countDue(time: number): number {
    return this.#count(this.#all.list(this.#narrow({ dueBefore: time })));
  }

  #count(rows: Iterable<SecretName>): number {
    let count = 0;
    for (const _row of this.#filter(rows)) count += 1;
    return count;
  }

  listFields(secretId: number) {
    return this.#all.listFields(secretId);
  }

  readFields(secretId: number) {
    return this.#all.readFields(secretId);
  }

  listFieldHeads(secretId: number) {
    return this.#all.listFieldHeads(secretId);
  }

  findField(secretId: number, field: string) {
    return this.#all.findField(secretId, field);
  }

  measure(secretId: number) {
    return this.#all.measure(secretId);
  }

  isJsonObject(text: string): boolean {
    return this.#all.isJsonObject(text);
  }
}

/** The deleted secrets and the versions that a token may reach: those of names that it may reach. */
class LimitedHistory implements HistorySource {
  readonly #all: HistorySource;
  readonly #access: Access;

  constructor(all: HistorySource, access: Access) {
    this.#all = all;
    this.#access = access;
  }

  /** All of them: writing counts them, and reading leaves out those under names that may not be reached. */
  list(secretId: number, limit?: number) {
    return this.#all.list(secretId, limit);
  }

  find(secretId: number, revision: number) {
    const row = this.#all.find(secretId, revision);
    return row !== null && this.#access.allowsSecret(row) ? row : null;
  }

  listDeletedAs(name: SecretName): DeletedRow[] {
    return this.#access.allowsSecret(name) ? this.#all.listDeletedAs(name) : [];
  }

  listDeleted({ limit, ...filter }: DeletedFilter): DeletedRow[] {
    const found: DeletedRow[] = [];
    let after = filter.after;
    for (;;) {
      const page = this.#all.listDeleted({ ...filter, limit, ...(after === undefined ? {} : { after }) });
      found.push(...page.filter((row) => this.#access.allowsSecret(row)));
      after = page.at(-1);
      if (found.length >= limit || page.length < limit) return found.slice(0, limit);
    }
  }

  countDeleted(): number {
    return this.listDeleted({ limit: Number.MAX_SAFE_INTEGER }).length;
  }

  readFieldsAt(row: Parameters<HistorySource['readFieldsAt']>[0]) {
    return this.#all.readFieldsAt(row);
  }

  listDeletedBefore(time: number, limit: number) {
    return this.#all.listDeletedBefore(time, limit);
  }

  listAfter(secretId: number, revision: number, limit: number) {
    return this.#all.listAfter(secretId, revision, limit);
  }

  listIds() {
    return this.#all.listIds();
  }

  listOldFields(secretId: number, until: number) {
    return this.#all.listOldFields(secretId, until);
  }
}
