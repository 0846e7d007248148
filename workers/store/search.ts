/** Finds the secrets that may contain a text, by the trigram index and by a scan of what the index does not have yet. */
import type { Statement } from 'better-sqlite3';
import type { Db } from './database.ts';

/** Sorting more candidates than this takes longer than walking all names in order until a page is full. */
const MAX_CANDIDATES = 5_000;
/** The most trigrams of a text that are looked up. They need not suffice: the text itself is compared, too. */
const MAX_TRIGRAMS = 32;
const TRIGRAM_LENGTH = 3;

const FIND_BY_TRIGRAMS = `
  SELECT rowid FROM search_index WHERE search_index MATCH ?
  UNION ALL
  SELECT t.secret_id FROM search_pending p CROSS JOIN search_texts t ON t.secret_id = p.secret_id
    WHERE instr(t.text, ?) > 0
  LIMIT ?`;
/** Reads the texts in the order in which they lie on the disk: many times faster than in the order of names. */
const FIND_BY_SCAN = 'SELECT secret_id FROM search_texts WHERE instr(text, ?) > 0 LIMIT ?';

export class SearchReader {
  readonly #db: Db;
  #byTrigrams: Statement<[string, string, number], number> | null = null;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Returns the ids of all secrets whose search text may contain this (folded) text, or null if there are too many. */
  findCandidates(text: string): number[] | null {
    const trigrams = pickTrigrams(text);
    const ids = trigrams.length === 0 ? this.#scan(text) : this.#lookUp(trigrams, text);
    // A changed secret is found twice: in the index as it was, and among those that are not indexed yet.
    return ids.length > MAX_CANDIDATES ? null : [...new Set(ids)];
  }

  #scan(text: string): number[] {
    return this.#db
      .prepare<[string, number], number>(FIND_BY_SCAN)
      .pluck()
      .all(text, MAX_CANDIDATES + 1);
  }

  #lookUp(trigrams: readonly string[], text: string): number[] {
    // Prepared at the first search: most commands never search, and preparing makes SQLite set up the index.
    this.#byTrigrams ??= this.#db.prepare<[string, string, number], number>(FIND_BY_TRIGRAMS).pluck();
    return this.#byTrigrams.all(trigrams.map(quoteForSearch).join(' AND '), text, MAX_CANDIDATES + 1);
  }
}

/**
 * Returns the trigrams that stand side by side in the text, and the last one. They have every character between them; each
 * further one would cost reading its list. Characters are code points, as SQLite's tokenizer counts them. A text of fewer
 * than three has no trigram.
 */
function pickTrigrams(text: string): string[] {
  const characters = Array.from(text);
  const last = characters.length - TRIGRAM_LENGTH;
  const starts = Array.from({ length: MAX_TRIGRAMS }, (_, index) => Math.min(index * TRIGRAM_LENGTH, last));
  const trigrams = starts.map((start) => characters.slice(start, start + TRIGRAM_LENGTH).join(''));
  return last < 0 ? [] : [...new Set(trigrams)];
}

/** Returns a string of SQLite's full-text query language, in which no character has a special meaning. */
function quoteForSearch(text: string): string {
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

  /** Indexes up to `limit` secrets in a transaction of its own. Returns whether more may be left. */
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
    // The lowest ids were taken, so no other pending id is below the last one.
    if (last !== undefined) this.#settle.run(last);
    return ids.length === limit;
  }
}
