/** What a project's file may say of one variable, member by member. */

import { VARIABLE_NAME } from '../formats/shell-quote.ts';
import { parseReference, SCHEME } from '../input/reference.ts';
import { isReservedName } from '../variables/reserved-names.ts';
import { type Composition, parseComposition } from './composition.ts';
import { GENERATORS, isGenerator } from './generators.ts';
import { describeTypes, isValueType } from './value-types.ts';

/** Where a value is stored. Without an environment it is looked for in the chosen one, and then in the default one. */
export interface ProjectReference {
  /** Null for the chosen environment; empty for the default one. */
  readonly environment: string | null;
  readonly name: string;
  readonly field?: string;
}

/** What is said of a variable. All of it may be absent, since a file may add to what another one says. */
export interface Declaration {
  readonly ref?: ProjectReference;
  readonly composed?: Composition;
  readonly default?: string;
  readonly required?: boolean;
  readonly description?: string;
  /** Such as `hex:32`. */
  readonly generate?: string;
  readonly as_file?: boolean;
  /** Such as `int`, or `regex:^v\d+$`. */
  readonly type?: string;
}

/** Why a member cannot be followed: the end of a sentence that begins with the member's name. */
export class MemberProblem extends Error {}

const HOW_REF =
  'is not a reference; write mav://ENV/NAME#FIELD (an empty ENV for the default environment), or NAME#FIELD for the chosen one';

type Check = (value: unknown) => unknown;

/** Each returns what the member means, or throws MemberProblem. */
const MEMBERS: Readonly<Record<keyof Declaration, Check>> = {
  ref: (value) => readReference(readString(value)),
  composed: (value) => readComposition(readString(value)),
  default: readString,
  required: readBoolean,
  description: readString,
  generate: (value) => readKnown(readString(value), isGenerator, `takes ${GENERATORS}`),
  as_file: readBoolean,
  type: (value) => readKnown(readString(value), isValueType, `takes ${describeTypes()}`),
};

export const MEMBER_NAMES = Object.keys(MEMBERS) as readonly (keyof Declaration)[];

/** Returns the meaning of one member. Throws MemberProblem. */
export function readMember(name: string, value: unknown): unknown {
  if (!Object.hasOwn(MEMBERS, name))
    throw new MemberProblem(`is unknown; there are ${MEMBER_NAMES.join(', ')}`);
  return MEMBERS[name as keyof Declaration](value);
}

/** Throws MemberProblem if no program may be given a variable of this name by a file that somebody else may have written. */
export function checkVariableName(name: string): void {
  if (!VARIABLE_NAME.test(name))
    throw new MemberProblem(
      'is no variable: it takes ASCII letters, digits and underscores, and no digit first',
    );
  if (isReservedName(name)) throw new MemberProblem('decides how programs run, so no project may set it');
}

function readString(value: unknown): string {
  if (typeof value !== 'string') throw new MemberProblem('takes a text in quotation marks');
  if (value.includes('\0')) throw new MemberProblem('has a NUL character');
  return value;
}

function readBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new MemberProblem('takes true or false');
  return value;
}

function readKnown(text: string, isKnown: (text: string) => boolean, how: string): string {
  if (!isKnown(text)) throw new MemberProblem(how);
  return text;
}

function readReference(text: string): ProjectReference {
  const isWhole = text.startsWith(SCHEME);
  const reference = parseReference(isWhole ? text : `${SCHEME}/${text}`);
  if (reference === null || (!isWhole && /^\/|:\/\//.test(text))) throw new MemberProblem(HOW_REF);
  return isWhole ? reference : { ...reference, environment: null };
}

function readComposition(text: string): Composition {
  const composition = parseComposition(text);
  if (composition !== null) return composition;
  throw new MemberProblem(
    'has a dollar sign that begins no name in braces; write it twice for the character itself',
  );
}
