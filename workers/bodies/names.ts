/** The rule for the names of secrets, fields, environments and tokens. Names are plaintext. */
import { BodyError, quoteName } from '../errors/request-error.ts';
import { FORBIDDEN_MEMBER } from '../json/scan.ts';

export type NameKind = 'name' | 'field' | 'environment';

const MAX_NAME_BYTES = 512;
const CONTROL_CHARACTER = /\p{Cc}/u;
/** Returns what is wrong with a name, as it follows the member in a sentence (`must not be empty`); null if nothing is. */
export function findNameProblem(kind: NameKind, text: string): string | null {
  if (text === '') return kind === 'environment' ? null : 'must not be empty';
  if (!text.isWellFormed()) return 'must not have an unpaired surrogate';
  if (CONTROL_CHARACTER.test(text)) return 'must not have control characters';
  // Replies and imports have fields as members of an object, so a field of this name could be stored by another route but
  // never read or imported again.
  if (kind === 'field' && text === FORBIDDEN_MEMBER) return `must not be ${quoteName(FORBIDDEN_MEMBER)}`;
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) return `must be at most ${MAX_NAME_BYTES} bytes long`;
  return null;
}

/** Throws BodyError. Its message has the kind of the name and never the name itself. */
export function checkName(kind: NameKind, text: string): void {
  const problem = findNameProblem(kind, text);
  if (problem !== null) throw new BodyError(`${quoteName(kind)} ${problem}`, { member: kind, problem });
}
