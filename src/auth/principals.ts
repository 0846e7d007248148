/**
 * The principals that may ask, by the SHA-256 of their token. The workers verify the rows and hand them over; this
 * thread could not tell a genuine one.
 */
import { hash } from 'node:crypto';
import type { Principal, PrincipalChange, PrincipalRow } from '../../workers/messages.ts';

/** SHA-256 of a token, 64 hex characters. A token is random, so its hash needs no salt and no stretching. */
export function hashToken(token: string): string {
  return hash('sha256', token);
}

export class Principals {
  readonly #byTokenHash = new Map<string, Principal>();
  readonly #hashById = new Map<string, string>();
  readonly #session: PrincipalRow | null;

  /** `session`: the command line's own principal; it is known even while the vault is sealed. */
  constructor(session: PrincipalRow | null) {
    this.#session = session;
  }

  find(token: string): Principal | null {
    const tokenHash = hashToken(token);
    if (tokenHash === this.#session?.tokenHash) return this.#session;
    return this.#byTokenHash.get(tokenHash) ?? null;
  }

  apply(change: PrincipalChange): void {
    if (change.kind === 'grant') this.#add(change.row);
    else if (change.kind === 'revoke') this.#remove(change.id);
    else this.#replaceAll(change.rows);
  }

  #replaceAll(rows: readonly PrincipalRow[]): void {
    this.#byTokenHash.clear();
    this.#hashById.clear();
    for (const row of rows) this.#add(row);
  }

  #add(row: PrincipalRow): void {
    this.#byTokenHash.set(row.tokenHash, row);
    this.#hashById.set(row.id, row.tokenHash);
  }

  #remove(id: string): void {
    const tokenHash = this.#hashById.get(id);
    if (tokenHash !== undefined) this.#byTokenHash.delete(tokenHash);
    this.#hashById.delete(id);
  }
}
