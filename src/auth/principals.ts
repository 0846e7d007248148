/**
 * The principals that may ask, by the SHA-256 of their token. The workers verify the rows and hand them over; this
 * thread could not tell a genuine one.
 *
 * How long it takes to find one tells nothing about a token. A guess is hashed before it is compared with anything, so
 * it has no beginning that could be right; half of the hash finds the entry, which only somebody who has the token could
 * make it do, and the whole of it is compared in constant time.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Principal, PrincipalChange, PrincipalRow } from '../../workers/messages.ts';

/** SHA-256 of a token, 64 hex characters. A token is random, so its hash needs no salt and no stretching. */
export function hashToken(token: string): string {
  return hash('sha256', token);
}

/** Hex characters of a hash that find an entry: 128 bits, so no two tokens share them. */
const SELECTOR_LENGTH = 32;

interface Entry {
  readonly principal: Principal;
  /** The whole hash, as its hex characters. */
  readonly digest: Uint8Array;
}

export class Principals {
  readonly #bySelector = new Map<string, Entry>();
  readonly #selectorById = new Map<string, string>();
  readonly #session: PrincipalRow | null;

  /** `session`: the command line's own principal; it is known even while the vault is sealed. */
  constructor(session: PrincipalRow | null) {
    this.#session = session;
    this.#replaceAll([]);
  }

  find(token: string): Principal | null {
    const tokenHash = hashToken(token);
    const entry = this.#bySelector.get(selectorOf(tokenHash));
    return entry !== undefined && timingSafeEqual(entry.digest, digestOf(tokenHash)) ? entry.principal : null;
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
    const selector = selectorOf(row.tokenHash);
    this.#bySelector.set(selector, { principal: row, digest: digestOf(row.tokenHash) });
    this.#selectorById.set(row.id, selector);
  }

  #remove(id: string): void {
    const selector = this.#selectorById.get(id);
    if (selector !== undefined) this.#bySelector.delete(selector);
    this.#selectorById.delete(id);
  }
}

function selectorOf(tokenHash: string): string {
  return tokenHash.slice(0, SELECTOR_LENGTH);
}

function digestOf(tokenHash: string): Uint8Array {
  return Buffer.from(tokenHash, 'latin1');
}
