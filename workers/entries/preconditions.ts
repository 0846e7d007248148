/** Conditional requests (RFC 9110 section 13.1): a client changes a secret only if nobody else has changed it meanwhile. */
import { RequestError } from '../errors/request-error.ts';
import type { Call } from '../messages.ts';
import type { SecretRow } from '../store/columns.ts';

type Tagged = Pick<SecretRow, 'id' | 'revision'>;

/**
 * Returns a secret's entity tag: the number of its version, which grows with every change, and the secret's id. A secret that
 * was purged and made again starts at version 1, but never has the same id: whoever saw the first one and sends its tag back
 * does not change or accept the other one.
 */
export function entityTag({ id, revision }: Tagged): string {
  return `${revision}-${id}`;
}

/** Throws RequestError `precondition_failed` unless the secret is as the client expects. `row` is null if there is none. */
export function checkPreconditions(call: Call, row: Tagged | null): void {
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

/** The number of the version alone matches too. */
function matchesTag(header: string, row: Tagged | null): boolean {
  if (row === null) return false;
  if (header.trim() === '*') return true;
  const tags = [`"${entityTag(row)}"`, `"${row.revision}"`];
  return header.split(',').some((candidate) => tags.includes(candidate.trim()));
}
