/**
 * The principals that may send requests, by the SHA-256 of their token. The workers verify the rows of the database and
 * hand them over; the request thread has no key to verify them with.
 *
 * The time of a lookup tells nothing about a token. A guess is hashed first, so no prefix of it can be right. Half of the
 * hash selects the entry, and without the token no hash with that half can be made. Then the whole hash is compared in
 * constant time.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Author, Principal, PrincipalChange, PrincipalRow } from '../../workers/messages.ts';
import { BEARER } from './bearer-token.ts';
import { toAuthor } from './scope.ts';

/** A principal whose token was presented. */
export interface AuthenticatedPrincipal extends Principal {
  /** What its writes are bound to. */
  readonly author: Author;
}

/** Returns the SHA-256 of a token, 64 hex characters. A token is random, so its hash needs no salt and no stretching. */
export function hashToken(token: string): string {
  return hash('sha256', token);
}

/** Hexadecimal digits of a hash that select an entry: 128 bits, so no two tokens share them. */
const SELECTOR_LENGTH = 32;

/** Where the hash of the token that is being looked up lies meanwhile. */
const presented = Buffer.alloc(64);

interface Entry {
  readonly principal: AuthenticatedPrincipal;
  /** Unix time in milliseconds; Infinity where the token does not expire. */
  readonly expiresAtMs: number;
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

  /** Returns null if the `Authorization` header is missing or malformed, or its token unknown or expired. */
  authenticate(authorization: string | undefined, nowMs: number): AuthenticatedPrincipal | null {
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    const tokenHash = hash('sha256', token);
    const entry = this.#bySelector.get(tokenHash.slice(0, SELECTOR_LENGTH));
    if (entry === undefined) return null;
    presented.write(tokenHash, 'latin1');
    if (!timingSafeEqual(entry.digest, presented)) return null;
    return entry.expiresAtMs <= nowMs ? null : entry.principal;
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
    const { tokenHash, ...principal } = row;
    const selector = tokenHash.slice(0, SELECTOR_LENGTH);
    this.#bySelector.set(selector, {
      principal: { ...principal, author: toAuthor(row) },
      expiresAtMs: row.expiresAt === null ? Number.POSITIVE_INFINITY : row.expiresAt * 1000,
      digest: Buffer.from(tokenHash, 'latin1'),
    });
    this.#selectorById.set(row.id, selector);
  }

  #remove(id: string): void {
    const selector = this.#selectorById.get(id);
    if (selector !== undefined) this.#bySelector.delete(selector);
    this.#selectorById.delete(id);
  }
}
