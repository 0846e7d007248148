/** The rows of the vault itself: its id, its key slots, its wrapped KEKs. Key material in them is ciphertext. */

import type { KnownSlot, KnownVault, SlotKind } from '../messages.ts';
import { expectChanges } from './changed.ts';
import type { KekRow, SlotRow } from './columns.ts';
import { insertInto, KEK_COLUMNS, omitColumns, SLOT_COLUMNS, selectColumns } from './columns.ts';
import type { Db } from './database.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** Each statement finds a row that an index lacks or has wrong, so that a list or a search would miss it. */
const INDEX_CHECKS = [
  {
    damage: 'a secret cannot be searched for: search_texts does not have it',
    sql: `SELECT 1 FROM secrets s
      WHERE NOT EXISTS (SELECT 1 FROM search_texts t WHERE t.secret_id = s.id) LIMIT 1`,
  },
  {
    damage: 'a secret cannot be searched for: search_index does not have it',
    sql: `SELECT 1 FROM search_texts t
      WHERE NOT EXISTS (SELECT 1 FROM search_index_docsize d WHERE d.id = t.secret_id)
        AND NOT EXISTS (SELECT 1 FROM search_pending p WHERE p.secret_id = t.secret_id) LIMIT 1`,
  },
  {
    damage: 'a row in metadata_entries has another name or environment than its secret',
    sql: `SELECT 1 FROM metadata_entries m JOIN secrets s ON s.id = m.secret_id
      WHERE m.name <> s.name OR m.environment <> s.environment LIMIT 1`,
  },
] as const;

export interface Damage {
  readonly what: string;
  /** True if the file is not as SQLite wrote it. False if only a search would miss something, or a row is out of place. */
  readonly isOfFile: boolean;
}

/** The most key slots of a vault. */
export const MAX_SLOTS = 16;
/** A longer path than any system allows. An attacker who can write the file chooses it. */
const MAX_LOCATION = 4_096;

/** Returns which vault the open file claims to be. Nothing in it can be trusted yet, not even the types of its columns. */
export function identifyVault(db: Db): KnownVault {
  const [vault] = db.prepare<[], { vault_id: unknown }>('SELECT vault_id FROM vault LIMIT 1').all();
  const slots = db
    .prepare<[], Record<'id' | 'kind' | 'location', unknown>>(
      `SELECT id, kind, location FROM slots LIMIT ${MAX_SLOTS + 1}`,
    )
    .all();
  const id = vault?.vault_id;
  return {
    vault_id: Buffer.isBuffer(id) ? id.toString('hex', 0, MAX_LOCATION) : '',
    slots: slots.map(({ id: slotId, kind, location }): KnownSlot => {
      // An unknown kind is returned as it is; it opens no slot.
      const place = location === null ? null : String(location).slice(0, MAX_LOCATION);
      const [name, what] = [slotId, kind].map((text) => String(text).slice(0, MAX_LOCATION)) as [
        string,
        string,
      ];
      return { id: name, kind: what as SlotKind, location: place };
    }),
    schema: SCHEMA_VERSION,
  };
}

export class VaultStore {
  readonly #db: Db;
  readonly #addToSequence;
  readonly #readSequence;

  constructor(db: Db) {
    this.#db = db;
    // With RETURNING it would take twice as long, because SQLite makes a table of what it returns.
    this.#addToSequence = db.prepare<[number]>('UPDATE vault SET sequence = sequence + ?');
    this.#readSequence = db.prepare<[], number>('SELECT sequence FROM vault').pluck();
  }

  insertVault(vaultId: Uint8Array, createdAt: number): void {
    expectChanges(
      this.#db
        .prepare('INSERT INTO vault (one, vault_id, created_at) VALUES (1, ?, ?)')
        .run(vaultId, createdAt),
    );
  }

  /** Returns 16 bytes. */
  getVaultId(): Buffer {
    const row = this.#db.prepare<[], { vault_id: Buffer }>('SELECT vault_id FROM vault').get();
    if (row === undefined) throw new Error('vault.db has no vault row');
    return row.vault_id;
  }

  /** Returns the first of `count` consecutive versions that no value of this vault has had before. For the writer only. */
  takeVersions(count: number): number {
    expectChanges(this.#addToSequence.run(count));
    return (this.#readSequence.get() ?? 0) - count + 1;
  }

  insertSlot(slot: SlotRow): void {
    expectChanges(this.#db.prepare<[SlotRow]>(insertInto('slots', SLOT_COLUMNS)).run(slot));
  }

  listSlots(): SlotRow[] {
    const columns = selectColumns(SLOT_COLUMNS);
    return this.#db.prepare<[], SlotRow>(`SELECT ${columns} FROM slots ORDER BY created_at, rowid`).all();
  }

  deleteSlot(id: string): void {
    expectChanges(this.#db.prepare('DELETE FROM slots WHERE id = ?').run(id));
  }

  insertKek(kek: Omit<KekRow, 'wraps'>): void {
    const sql = insertInto('keks', omitColumns(KEK_COLUMNS, ['wraps']));
    expectChanges(this.#db.prepare<[Omit<KekRow, 'wraps'>]>(sql).run(kek));
  }

  replaceKek(id: Uint8Array, wrapped: Uint8Array): void {
    expectChanges(this.#db.prepare('UPDATE keks SET wrapped = ? WHERE id = ?').run(wrapped, id));
  }

  /** Counts keys that a KEK has wrapped, or may wrap from now on. */
  countWraps(kekId: Uint8Array, count: number): void {
    expectChanges(this.#db.prepare('UPDATE keks SET wraps = wraps + ? WHERE id = ?').run(count, kekId));
  }

  /** Returns the oldest generation first. The last one is current. */
  listKeks(): KekRow[] {
    const columns = selectColumns(KEK_COLUMNS);
    return this.#db.prepare<[], KekRow>(`SELECT ${columns} FROM keks ORDER BY generation`).all();
  }

  deleteKek(id: Uint8Array): void {
    expectChanges(this.#db.prepare('DELETE FROM keks WHERE id = ?').run(id));
  }

  /** Returns the first fault of the database in one line, or null if there is none. */
  findDamage(): Damage | null {
    this.#readSearchIndex();
    const [found] = this.#db.pragma('integrity_check(1)') as { integrity_check: string }[];
    const lines = (found?.integrity_check ?? '').split('\n').filter((line) => !line.startsWith('***'));
    const [what = 'SQLite does not say'] = lines;
    if (what !== 'ok') return { what, isOfFile: !what.includes('search_index') };
    const [orphan] = this.#db.pragma('foreign_key_check') as { table: string; parent: string }[];
    if (orphan !== undefined)
      return { what: `a row in ${orphan.table} refers to none in ${orphan.parent}`, isOfFile: false };
    const missed = INDEX_CHECKS.find(({ sql }) => this.#db.prepare(sql).get() !== undefined);
    return missed === undefined ? null : { what: missed.damage, isOfFile: false };
  }

  /**
   * Makes SQLite read the search index again. Without this a connection that has checked the index before compares what it
   * remembers with what is there now, and reports damage. This and the check must see one snapshot.
   */
  #readSearchIndex(): void {
    try {
      this.#db.prepare(`SELECT 1 FROM search_index WHERE search_index MATCH '"aaa"' LIMIT 1`).get();
    } catch {
      // The check that follows reports what is wrong.
    }
  }

  /** Returns how many old versions are kept, and how many bytes of values and metadata they have. */
  measureHistory(): { readonly versions: number; readonly bytes: number } {
    const sql = 'SELECT version_count AS versions, history_bytes AS bytes FROM vault';
    return this.#db.prepare<[], { versions: number; bytes: number }>(sql).get() ?? { versions: 0, bytes: 0 };
  }

  /** Returns the size of the database file in bytes, as SQLite counts it. */
  databaseSize(): number {
    const pages = this.#db.pragma('page_count', { simple: true }) as number;
    return pages * (this.#db.pragma('page_size', { simple: true }) as number);
  }
}
