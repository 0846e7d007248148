/** Collects what a token has read, by secret, version and field. */
import { type AuditEntry, parseEntry } from './entry.ts';

/** A value, or a field, of one version of a secret that a token has read. */
export interface ReadValues {
  /** The name that it had then. */
  readonly name: string;
  readonly environment: string;
  readonly id: number;
  readonly version: number;
  /** Absent for the secret's own value. */
  readonly field?: string;
  readonly first_read_at: string;
  readonly last_read_at: string;
  readonly count: number;
}

type Part = Omit<ReadValues, 'first_read_at' | 'last_read_at' | 'count'>;

export class CollectedReads {
  readonly #token: string;
  readonly #needle: Buffer;
  readonly #found = new Map<string, ReadValues>();

  /** `token`: its id, or `session`. */
  constructor(token: string) {
    this.#token = token;
    this.#needle = Buffer.from(`"by":"${token}"`);
  }

  /** Takes the bytes of a segment. */
  addSegment(bytes: Buffer): void {
    for (let at = bytes.indexOf(this.#needle); at >= 0; ) {
      const start = bytes.lastIndexOf('\n', at) + 1;
      const newline = bytes.indexOf('\n', at);
      const end = newline < 0 ? bytes.length : newline;
      const entry = parseEntry(bytes.toString('utf8', start, end));
      if (entry !== null && entry.by === this.#token && entry.result === 'ok') this.#addEntry(entry);
      at = bytes.indexOf(this.#needle, end);
    }
  }

  #addEntry({ at, secrets = [] }: AuditEntry): void {
    for (const { name, environment, id, version, read, value, fields = [] } of secrets) {
      if (!read || id === undefined || version === undefined) continue;
      const secret = { name, environment, id, version };
      if (value) this.#addPart(secret, at);
      for (const field of fields) this.#addPart({ ...secret, field }, at);
    }
  }

  #addPart(part: Part, at: string): void {
    const key = JSON.stringify([part.id, part.version, part.field ?? null]);
    const known = this.#found.get(key);
    // Segments are not in the order of their times.
    const first = known !== undefined && known.first_read_at < at ? known.first_read_at : at;
    const last = known !== undefined && known.last_read_at > at ? known.last_read_at : at;
    const count = (known?.count ?? 0) + 1;
    this.#found.set(key, { ...part, first_read_at: first, last_read_at: last, count });
  }

  /** Returns them by environment, name, field and version. */
  list(): ReadValues[] {
    return [...this.#found.values()].sort(
      (one, other) =>
        compare(one.environment, other.environment) ||
        compare(one.name, other.name) ||
        compare(one.field ?? '', other.field ?? '') ||
        one.version - other.version,
    );
  }
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
