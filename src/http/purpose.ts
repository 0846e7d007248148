/** The `X-Purpose` request header, in which a client says what it needs the answer for. */
import { HttpError } from './errors.ts';

/** In UTF-16 units. */
const MAX_LENGTH = 200;
const ASCII = /^[\x20-\x7e]*$/;
/** No controls, formatting (such as the characters that turn text around), private, unassigned, or line separating ones. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

/** `header`: as Node gives it, one character for each byte of UTF-8. Returns null if it is not valid. */
export function findPurpose(header: string): string | null {
  const purpose = ASCII.test(header) ? header : Buffer.from(header, 'latin1').toString();
  const isValid = purpose.length <= MAX_LENGTH && PRINTABLE.test(purpose) && !purpose.includes('\ufffd');
  return isValid ? purpose : null;
}

/** As `findPurpose`, but throws HttpError 400 if it is not valid. */
export function readPurpose(header: string): string {
  const purpose = findPurpose(header);
  if (purpose === null)
    throw new HttpError(
      'bad_request',
      `X-Purpose must be at most ${MAX_LENGTH} printable characters of UTF-8`,
    );
  return purpose;
}
