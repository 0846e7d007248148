/** Conditional requests (RFC 9110 section 13.1): a client changes a secret only if nobody else has changed it meanwhile. */
import { readWrap } from '../envelope/wrap.ts';
import { RequestError } from '../errors/request-error.ts';
import type { Call } from '../messages.ts';

/**
 * Returns a secret's entity tag: the nonce of its wrapped DEK. Every change of a row wraps the DEK again under a new random
 * nonce. So the tag changes too, and says nothing of the value.
 */
export function entityTag(row: { wrappedDek: Uint8Array }): string {
  return Buffer.from(readWrap(row.wrappedDek).nonce).toString('hex');
}

/** Throws RequestError `precondition_failed` unless the secret is as the client expects. `row` is null if there is none. */
export function checkPreconditions(call: Call, row: { wrappedDek: Uint8Array } | null): void {
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

function matchesTag(header: string, row: { wrappedDek: Uint8Array } | null): boolean {
  if (row === null) return false;
  if (header.trim() === '*') return true;
  const tag = entityTag(row);
  return header.split(',').some((candidate) => candidate.trim() === `"${tag}"`);
}
