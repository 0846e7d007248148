/**
 * The principals that may ask, by the SHA-256 of their token. The workers verify the rows of the database and hand them
 * over; this thread has no key to verify them with.
 *
 * The time of a lookup tells nothing about a token. A guess is hashed first, so no prefix of it can be right. Half of the
 * hash finds the entry, and a hash with that half is not found without the token. Then the whole hash is compared in
 * constant time.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Principal, PrincipalChange, PrincipalRow } from '../../workers/messages.ts';

/** SHA-256 of a token, 64 hex characters. A token is random, so its hash needs no salt and no stretching. */
export function hashToken(token: string): string {
  return hash('sha256', token);
}

/** Hexadecimal digits of a hash that find an entry: 128 bits, so no two tokens share them. */
const SELECTOR_LENGTH = 32;

interface Entry {
  readonly principal: Principal;
  /** The whole hash, as ASCII of its hexadecimal digits. */
  readonly digest: Uint8Array;
}

export class Principals {
  readonly #bySelector = new Map<string, Entry>();
  readonly #selectorById = new Map<string, string>();
  readonly #session: PrincipalRow | null;

  /** `session`: the principal of the command line, known even while the vault is sealed. */
  constructor(session: PrincipalRow | null) {
    this.#session = session;
    this.#replaceAll([]);
  }

  find(token: string): Principal | null {
    const tokenHash = hash('sha256', token);
    const entry = this.#bySelector.get(tokenHash.slice(0, SELECTOR_LENGTH));
    if (entry === undefined) return null;
    return timingSafeEqual(entry.digest, Buffer.from(tokenHash, 'latin1')) ? entry.principal : null;
  }

  apply(change: PrincipalChange): void {
    if (change.kind === 'grant') this.#add(change.row);
    else if (change.kind === 'revoke') this.#remove(change.id);
    else this.#replaceAll(change.rows);
  }

  #replaceAll(rows: readonly PrincipalRow[]): void {
    this.#bySelector.clear();
    this.#selectorById.clear();
    for (const row of rows) this.#add(row);
    if (this.#session !== null) this.#add(this.#session);
  }

  #add(row: PrincipalRow): void {
    const selector = row.tokenHash.slice(0, SELECTOR_LENGTH);
    this.#bySelector.set(selector, { principal: row, digest: Buffer.from(row.tokenHash, 'latin1') });
    this.#selectorById.set(row.id, selector);
  }

  #remove(id: string): void {
    const selector = this.#selectorById.get(id);
    if (selector !== undefined) this.#bySelector.delete(selector);
    this.#selectorById.delete(id);
  }
}
