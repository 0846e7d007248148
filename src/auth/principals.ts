/**
 * The principals that may send requests, by the SHA-256 of their token. The workers verify the rows of the database and
 * hand them over; the request thread has no key to verify them with.
 *
 * The time of a lookup tells nothing about a token. A guess is hashed first, so no prefix of it can be right. Half of the
 * hash selects the entry, and without the token no hash with that half can be made. Then the whole hash is compared in
 * constant time.
 *
 * A principal is one object and two strings, because of thousands none is in the processor's cache when its token comes:
 * each further object would cost a request more than the lookup does.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Author, Principal, PrincipalChange, PrincipalRow, Scope } from '../../workers/messages.ts';
import { BEARER } from './bearer-token.ts';
import { toAuthor } from './scope.ts';

/** A principal whose token was presented, and the author of what it writes. */
export type AuthenticatedPrincipal = Principal & Author;

/** Returns the SHA-256 of a token, 64 hex characters. A token is random, so its hash needs no salt and no stretching. */
export function hashToken(token: string): string {
  return hash('sha256', token);
}

/** Hexadecimal digits of a hash that select an entry: 128 bits, so no two tokens share them. */
const SELECTOR_LENGTH = 32;

/** Where two hashes lie while they are compared, as ASCII of their hexadecimal digits. */
const [presented, known] = [Buffer.alloc(64), Buffer.alloc(64)];

export class Principals {
  readonly #bySelector = new Map<string, PrincipalRow & Author>();
  /** The list of scopes that all principals share which have the same ones. */
  readonly #scopeLists = new Map<string, readonly Scope[]>();
  readonly #selectorById = new Map<string, string>();
  readonly #session: PrincipalRow | null;

  /** `session`: the principal of the command line, known even while the vault is sealed. */
  constructor(session: PrincipalRow | null) {
    this.#session = session;
    this.#replaceAll([]);
  }

  /** Returns null if the `Authorization` header is missing or malformed, or its token unknown, expired or not valid yet. */
  authenticate(authorization: string | undefined, nowMs: number): AuthenticatedPrincipal | null {
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    const tokenHash = hash('sha256', token);
    const principal = this.#bySelector.get(tokenHash.slice(0, SELECTOR_LENGTH));
    if (principal === undefined) return null;
    presented.write(tokenHash, 'latin1');
    known.write(principal.tokenHash, 'latin1');
    if (!timingSafeEqual(known, presented)) return null;
    const { expiresAt, notBefore = 0 } = principal;
    if (expiresAt !== null && expiresAt * 1000 <= nowMs) return null;
    return notBefore * 1000 > nowMs ? null : principal;
  }

  apply(change: PrincipalChange): void {
    if (change.kind === 'grant') this.#add(change.row);
    else if (change.kind === 'revoke') this.#remove(change.id);
    else if (change.kind === 'several') for (const each of change.changes) this.apply(each);
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
    const scopes = this.#share(row.scopes);
    this.#bySelector.set(selector, { ...row, ...toAuthor(row), scopes });
    this.#selectorById.set(row.id, selector);
  }

  #share(scopes: readonly Scope[]): readonly Scope[] {
    const key = scopes.join();
    const shared = this.#scopeLists.get(key) ?? scopes;
    this.#scopeLists.set(key, shared);
    return shared;
  }

  #remove(id: string): void {
    const selector = this.#selectorById.get(id);
    if (selector !== undefined) this.#bySelector.delete(selector);
    this.#selectorById.delete(id);
  }
}
