/** Which secrets may contain a text: the trigram index, and what it does not know yet. SQL only; holds no secret. */
import type { Statement } from 'better-sqlite3';
import type { Db } from './database.ts';

/** With so many, sorting them takes as long as walking all names in order until a page is full. */
const MAX_CANDIDATES = 5_000;
/** Of a long text so many trigrams are enough: the text itself is compared in any case. */
const MAX_TRIGRAMS = 32;
const TRIGRAM_LENGTH = 3;

const FIND_BY_TRIGRAMS = `
  SELECT rowid FROM search_index WHERE search_index MATCH ?
  UNION ALL
  SELECT t.secret_id FROM search_pending p CROSS JOIN search_texts t ON t.secret_id = p.secret_id
    WHERE instr(t.text, ?) > 0
  LIMIT ?`;
/** In the order in which they lie on the disk, which is many times faster than in the order of names. */
const FIND_BY_SCAN = 'SELECT secret_id FROM search_texts WHERE instr(text, ?) > 0 LIMIT ?';

export class SearchReader {
  readonly #db: Db;
  #byTrigrams: Statement<[string, string, number], number> | null = null;

  constructor(db: Db) {
    this.#db = db;
  }

  /** The ids of all secrets whose search text may contain a (folded) text; null if there are too many of them. */
  findCandidates(text: string): number[] | null {
    const trigrams = pickTrigrams(text);
    const ids = trigrams.length === 0 ? this.#scan(text) : this.#lookUp(trigrams, text);
    // One that changed is known twice: as it was, and as not indexed yet.
    return ids.length > MAX_CANDIDATES ? null : [...new Set(ids)];
  }

  #scan(text: string): number[] {
    return this.#db
      .prepare<[string, number], number>(FIND_BY_SCAN)
      .pluck()
      .all(text, MAX_CANDIDATES + 1);
  }

  #lookUp(trigrams: readonly string[], text: string): number[] {
    // Not before it is needed: most commands never search, and SQLite sets up the index when it is first named.
    this.#byTrigrams ??= this.#db.prepare<[string, string, number], number>(FIND_BY_TRIGRAMS).pluck();
    return this.#byTrigrams.all(trigrams.map(quote).join(' AND '), text, MAX_CANDIDATES + 1);
  }
}

/**
 * Side by side, and the last one: each further one costs reading its list, and these have every character already.
 * Characters are code points, as SQLite's tokenizer counts them. None if the text is too short.
 */
function pickTrigrams(text: string): string[] {
  const characters = Array.from(text);
  const last = characters.length - TRIGRAM_LENGTH;
  const starts = Array.from({ length: MAX_TRIGRAMS }, (_, index) => Math.min(index * TRIGRAM_LENGTH, last));
  const trigrams = starts.map((start) => characters.slice(start, start + TRIGRAM_LENGTH).join(''));
  return last < 0 ? [] : [...new Set(trigrams)];
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
