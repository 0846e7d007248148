/** Conditional requests (RFC 9110 section 13.1): a write that must not undo somebody else's. Holds no secret. */
import { readWrap } from '../envelope/wrap.ts';
import { RequestError } from '../errors/request-error.ts';
import type { Call } from '../messages.ts';

/**
 * A secret's entity tag: the nonce of its wrapped DEK. Every change of a row wraps anew under a fresh random nonce,
 * so the tag changes with every change and says nothing of the value.
 */
export function entityTag(row: { wrappedDek: Uint8Array }): string {
  return Buffer.from(readWrap(row.wrappedDek).nonce).toString('hex');
}

/** Throws RequestError `precondition_failed` unless the secret (null: there is none) is as the client expects. */
export function checkPreconditions(call: Call, row: { wrappedDek: Uint8Array } | null): void {
  const { ifMatch, ifNoneMatch } = call;
  if (ifMatch !== undefined && !matches(ifMatch, row)) {
    throw new RequestError('precondition_failed', 'the secret is not as If-Match expects; read it again');
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, row)) {
    throw new RequestError(
      'precondition_failed',
      'the secret is one that If-None-Match excludes; read it again',
    );
  }
}

function matches(header: string, row: { wrappedDek: Uint8Array } | null): boolean {
  if (row === null) return false;
  if (header.trim() === '*') return true;
  const tag = entityTag(row);
  return header.split(',').some((candidate) => candidate.trim() === `"${tag}"`);
}
