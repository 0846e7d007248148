/** The rows of tokens. SQL only: it knows a token's SHA-256, never the token. */
import { expectChanges } from './changed.ts';
import type { Db } from './database.ts';

export interface TokenRow {
  readonly id: string;
  readonly hash: Buffer;
  readonly name: string;
  /** Comma-joined, in the order of read, write, generate, admin. */
  readonly scopes: string;
  /** 1 where what the token writes counts as accepted by the owner, else 0. */
  readonly trusted: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly kekId: Buffer;
  readonly mac: Buffer;
}

const COLUMNS = `id, hash, name, scopes, trusted, created_at AS createdAt, expires_at AS expiresAt,
  last_used_at AS lastUsedAt, kek_id AS kekId, mac`;

export class TokenStore {
  readonly #list;
  readonly #insert;
  readonly #delete;
  readonly #touch;
  readonly #updateMac;

  constructor(db: Db) {
    this.#list = db.prepare<[], TokenRow>(`SELECT ${COLUMNS} FROM tokens ORDER BY created_at, id`);
    this.#insert = db.prepare(
      `INSERT INTO tokens (id, hash, name, scopes, trusted, created_at, expires_at, last_used_at, kek_id, mac)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = db.prepare<[string]>('DELETE FROM tokens WHERE id = ?');
    // A batch of uses can arrive late, so the newest time wins whatever the order.
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

  insert(row: TokenRow): void {
    const { id, hash, name, scopes, trusted, createdAt, expiresAt, lastUsedAt, kekId, mac } = row;
    expectChanges(
      this.#insert.run(id, hash, name, scopes, trusted, createdAt, expiresAt, lastUsedAt, kekId, mac),
    );
  }

  /** Whether there was such a token. */
  delete(id: string): boolean {
    return this.#delete.run(id).changes === 1;
  }

  touch(id: string, usedAt: number): void {
    this.#touch.run(usedAt, id);
  }

  updateMac(id: string, kekId: Uint8Array, mac: Uint8Array): void {
    expectChanges(this.#updateMac.run(kekId, mac, id));
  }
}
