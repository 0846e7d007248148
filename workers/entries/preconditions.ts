/** Conditional requests (RFC 9110 section 13.1): a client changes a secret only if nobody else has changed it meanwhile. */
import { RequestError } from '../errors/request-error.ts';
import type { Call } from '../messages.ts';
import type { SecretRow } from '../store/columns.ts';

/**
 * Returns a secret's entity tag: the number of its version, which grows with every change. A secret that was purged and made
 * again starts at 1.
 */
export function entityTag(row: Pick<SecretRow, 'revision'>): string {
  return String(row.revision);
}

/** Throws RequestError `precondition_failed` unless the secret is as the client expects. `row` is null if there is none. */
export function checkPreconditions(call: Call, row: Pick<SecretRow, 'revision'> | null): void {
  const { ifMatch, ifNoneMatch } = call;
  if (ifMatch !== undefined && !matchesTag(ifMatch, row)) {
    throw new RequestError('precondition_failed', 'the secret is not as If-Match expects; read it again');
  }
  if (ifNoneMatch !== undefined && matchesTag(ifNoneMatch, row)) {
    throw new RequestError(
      'precondition_failed',
      'the secret is one that If-None-Match excludes; read it again',
    );
  }
}

function matchesTag(header: string, row: Pick<SecretRow, 'revision'> | null): boolean {
  if (row === null) return false;
  if (header.trim() === '*') return true;
  const tag = entityTag(row);
  return header.split(',').some((candidate) => candidate.trim() === `"${tag}"`);
}
