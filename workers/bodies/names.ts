/**
 * The rule for every name: of a secret, a field, an environment, a token. Secrets it may hold: none, names are
 * stored and searched in the clear.
 */
import { BodyError, quoteName } from '../errors/request-error.ts';
import { FORBIDDEN_MEMBER } from '../json/scan.ts';

export type NameKind = 'name' | 'field' | 'environment';

const MAX_NAME_BYTES = 512;
const CONTROL_CHARACTER = /\p{Cc}/u;
/** What is wrong with a name, to stand behind the member's name in a sentence; null where nothing is. */
export function findNameProblem(kind: NameKind, text: string): string | null {
  if (text === '') return kind === 'environment' ? null : 'must not be empty';
  if (!text.isWellFormed()) return 'must not have an unpaired surrogate';
  if (CONTROL_CHARACTER.test(text)) return 'must not have control characters';
  // Answers and imports have fields as members of an object. A name that could come in by another way could be stored,
  // but never be read or imported again.
  if (kind === 'field' && text === FORBIDDEN_MEMBER) return `must not be ${quoteName(FORBIDDEN_MEMBER)}`;
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) return `must be at most ${MAX_NAME_BYTES} bytes long`;
  return null;
}

/** Throws a RequestError that names the kind, never the text. */
export function checkName(kind: NameKind, text: string): void {
  const problem = findNameProblem(kind, text);
  if (problem !== null) throw new BodyError(`${quoteName(kind)} ${problem}`, { member: kind, problem });
}
