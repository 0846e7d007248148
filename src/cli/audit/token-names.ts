/** The names of tokens by their ids, for tables. The log knows those of revoked tokens, too. */
import type { Client } from '../../client/client.ts';
import type { AuditEntry } from '../../client/types.ts';
import { OWNER, OWNER_NAME } from '../vault/writer-names.ts';
import { readEntries } from './read-entries.ts';

export type NameToken = (id: string | undefined) => string;

export class TokenNames {
  readonly #client: Client;
  readonly #names = new Map<string, string>([
    ['', ''],
    [OWNER, OWNER_NAME],
  ]);
  #isListed = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Looks for the names of those who made these entries. Returns what names each of them: an id that nobody knows stays one. */
  async learn(entries: readonly AuditEntry[]): Promise<NameToken> {
    if (this.#hasUnknown(entries)) await this.#searchLog();
    // Listing tokens is an entry of the log. So it is done once, or following the log would never come to rest.
    if (this.#hasUnknown(entries) && !this.#isListed) await this.#list();
    for (const { by = '' } of entries) if (!this.#names.has(by)) this.#names.set(by, by);
    return (id = '') => this.#names.get(id) ?? id;
  }

  #hasUnknown(entries: readonly AuditEntry[]): boolean {
    return entries.some(({ by = '' }) => !this.#names.has(by));
  }

  async #searchLog(): Promise<void> {
    for await (const { id, name } of readLoggedNames(this.#client)) this.#names.set(id, name);
  }

  async #list(): Promise<void> {
    this.#isListed = true;
    for (const { id, name } of await this.#client.listTokens()) this.#names.set(id, name);
  }
}

/** Yields the names of tokens that the log has, some more than once. */
export async function* readLoggedNames(
  client: Client,
): AsyncGenerator<{ readonly id: string; readonly name: string }> {
  for await (const { items } of readEntries(client, { operation: 'tokens.*' }))
    for (const { token: id, token_name: name } of items)
      if (id !== undefined && name !== undefined) yield { id, name };
}
