/** Makes principals of the rows of tokens: what the request thread learns of each token, its hash and what it grants. */

import { NEVER_ASKED } from '../entries/confirm.ts';
import type { PrincipalRow, Scope } from '../messages.ts';
import type { ReadableVault } from '../open-vault.ts';
import { isGenuine, type SignedToken } from './token-macs.ts';

/** The stored limits of a token that may reach everything. */
export const NO_LIMITS = '[]';

/** Returns the principals of all genuine rows, and the ids of forged rows, which grant nothing. */
export function loadPrincipals(vault: ReadableVault): { rows: PrincipalRow[]; forged: string[] } {
  const { true: genuine = [], false: forged = [] } = Object.groupBy(vault.tokens.list(), (row) =>
    isGenuine(vault.keyring, row) ? 'true' : 'false',
  );
  return { rows: genuine.map(toPrincipal), forged: forged.map((row) => row.id) };
}

export function toPrincipal(row: SignedToken): PrincipalRow {
  const { id, expiresAt, notBefore, limits, maxUses, confirm } = row;
  const tokenHash = Buffer.from(row.hash).toString('hex');
  return {
    ...{ id, expiresAt, isTrusted: row.trusted === 1, scopes: splitScopes(row.scopes), tokenHash },
    ...(notBefore === null ? {} : { notBefore }),
    ...(limits === NO_LIMITS ? {} : { limits }),
    ...(maxUses === null ? {} : { maxUses }),
    ...(confirm === NEVER_ASKED ? {} : { confirm }),
  };
}

/** Splits the text of the column `scopes`. */
export function splitScopes(scopes: string): Scope[] {
  return scopes.split(',') as Scope[];
}
