/** Which secrets may contain a text: the trigram index, and what it does not know yet. SQL only; holds no secret. */
import type { Db } from './database.ts';

/** With so many, sorting them takes as long as walking all names in order until a page is full. */
const MAX_CANDIDATES = 5_000;
/** Of a long text so many trigrams: the text itself is compared in any case. */
const MAX_TRIGRAMS = 64;
const TRIGRAM_LENGTH = 3;

/** The ids of all secrets whose search text may contain a (folded) text. */
export class SearchReader {
  readonly #find;

  constructor(db: Db) {
    this.#find = db
      .prepare<[string, string, number], number>(
        `SELECT rowid FROM search_index WHERE search_index MATCH ?
         UNION ALL
         SELECT t.secret_id FROM search_pending p CROSS JOIN search_texts t ON t.secret_id = p.secret_id
           WHERE instr(t.text, ?) > 0
         LIMIT ?`,
      )
      .pluck();
  }

  /** null if the text has too few characters to look for, or too many secrets may contain it. */
  findCandidates(text: string): number[] | null {
    const trigrams = listTrigrams(text);
    if (trigrams.length === 0) return null;
    const ids = this.#find.all(trigrams.map(quote).join(' AND '), text, MAX_CANDIDATES + 1);
    // One that changed is known twice: as it was, and as not indexed yet.
    return ids.length > MAX_CANDIDATES ? null : [...new Set(ids)];
  }
}

/** The characters are code points, as SQLite's tokenizer counts them. */
function listTrigrams(text: string): string[] {
  const characters = Array.from(text);
  const count = Math.min(MAX_TRIGRAMS, characters.length - TRIGRAM_LENGTH + 1);
  return Array.from({ length: Math.max(0, count) }, (_, at) =>
    characters.slice(at, at + TRIGRAM_LENGTH).join(''),
  );
}

/** A string of SQLite's full-text query language, in which every character is a plain one. */
function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Brings the trigram index up to the search texts. */
export class SearchIndexer {
  readonly #db: Db;
  readonly #list;
  readonly #remove;
  readonly #add;
  readonly #settle;

  constructor(db: Db) {
    this.#db = db;
    this.#list = db
      .prepare<[number], number>('SELECT secret_id FROM search_pending ORDER BY secret_id LIMIT ?')
      .pluck();
    this.#remove = db.prepare<[number]>('DELETE FROM search_index WHERE rowid = ?');
    this.#add = db.prepare<[number]>(
      'INSERT INTO search_index (rowid, text) SELECT secret_id, text FROM search_texts WHERE secret_id = ?',
    );
    this.#settle = db.prepare<[number]>('DELETE FROM search_pending WHERE secret_id <= ?');
  }

  /** Indexes up to `limit` secrets, in a transaction of its own; answers whether any are left. */
  index(limit: number): boolean {
    return this.#db.transaction(() => this.#index(limit)).immediate();
  }

  #index(limit: number): boolean {
    const ids = this.#list.all(limit);
    for (const id of ids) {
      this.#remove.run(id);
      this.#add.run(id);
    }
    const last = ids.at(-1);
    // The oldest ids were taken, so that nothing else lies below the last one.
    if (last !== undefined) this.#settle.run(last);
    return ids.length === limit;
  }
}
