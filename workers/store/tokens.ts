/** The rows of tokens. A row has the token's SHA-256, never the token. */

import { expectChanges } from './changed.ts';
import type { TokenRow } from './columns.ts';
import { insertInto, selectColumns, TOKEN_COLUMNS } from './columns.ts';
import type { Db } from './database.ts';

export class TokenStore {
  readonly #db: Db;
  readonly #list;
  readonly #find;
  readonly #insert;
  readonly #delete;
  readonly #touch;
  readonly #updateMac;

  constructor(db: Db) {
    this.#db = db;
    this.#list = db.prepare<[], TokenRow>(
      `SELECT ${selectColumns(TOKEN_COLUMNS)} FROM tokens ORDER BY created_at, id`,
    );
    this.#find = db.prepare<[string], TokenRow>(
      `SELECT ${selectColumns(TOKEN_COLUMNS)} FROM tokens WHERE id = ?`,
    );
    this.#insert = db.prepare<[TokenRow]>(insertInto('tokens', TOKEN_COLUMNS));
    this.#delete = db.prepare<[string]>('DELETE FROM tokens WHERE id = ?');
    // Batches of uses can arrive out of order. The newest time wins.
    this.#touch = db.prepare<[number, string]>(
      'UPDATE tokens SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?',
    );
    this.#updateMac = db.prepare<[Uint8Array, Uint8Array, string]>(
      'UPDATE tokens SET kek_id = ?, mac = ? WHERE id = ?',
    );
  }

  list(): TokenRow[] {
    return this.#list.all();
  }

  /** Null if there is no such token. */
  find(id: string): TokenRow | null {
    return this.#find.get(id) ?? null;
  }

  insert(row: TokenRow): void {
    expectChanges(this.#insert.run(row));
  }

  /** Returns whether there was such a token. */
  delete(id: string): boolean {
    return this.#delete.run(id).changes === 1;
  }

  touch(id: string, usedAt: number): void {
    this.#touch.run(usedAt, id);
  }

  /** Stores the expiry and the uses of a row, which was signed again. */
  update({ id, expiresAt, uses, kekId, mac }: Omit<TokenRow, 'lastUsedAt'>): void {
    const sql = 'UPDATE tokens SET expires_at = ?, uses = ?, kek_id = ?, mac = ? WHERE id = ?';
    expectChanges(this.#db.prepare(sql).run(expiresAt, uses, kekId, mac, id));
  }

  updateMac(id: string, kekId: Uint8Array, mac: Uint8Array): void {
    expectChanges(this.#updateMac.run(kekId, mac, id));
  }
}
