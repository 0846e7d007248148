/** Reads lists of request bodies item by item, and says which item is wrong. Names are plaintext; messages have no values. */

import { BodyError, quoteName } from '../errors/request-error.ts';
import { type JsonScanner, QUOTE } from '../json/scan.ts';
import { findNameProblem, type NameKind } from './names.ts';

const LOWER_N = 0x6e;

/** The text between an item's place and the problem: `.` before a member, else the problem is of the whole item. */
type Joint = '.' | ': ' | ' ';

/** `message` says what is wrong with an item, without the place of the item. */
export class ItemProblem extends Error {
  readonly joint: Joint;
  /** Index of an earlier item that already has what no second item may have. */
  readonly sameAs: number | undefined;

  constructor(joint: Joint, message: string, sameAs?: number) {
    super(message);
    this.joint = joint;
    this.sameAs = sameAs;
  }
}

/** `read` must consume the item. Throws BodyError, which names the wrong place as `"secrets"[12]."value"`. */
export function readList<Item>(scanner: JsonScanner, list: string, read: (index: number) => Item): Item[] {
  const items: Item[] = [];
  scanner.items(() => {
    try {
      items.push(read(items.length));
    } catch (error) {
      throw addPlace(error, list, items.length);
    }
  });
  return items;
}

export function placeOfItem(list: string, index: number): string {
  return `${quoteName(list)}[${index}]`;
}

function addPlace(error: unknown, list: string, index: number): unknown {
  // The scanner does not know of items, so its error gets the place of the item here.
  const wrong = error instanceof BodyError ? new ItemProblem(': ', error.message) : error;
  if (!(wrong instanceof ItemProblem)) return error;
  const { joint, message, sameAs } = wrong;
  const at = { list, index, problem: message, ...(sameAs === undefined ? {} : { same_as: sameAs }) };
  return new BodyError(`${placeOfItem(list, index)}${joint}${message}`, { at });
}

/** Consumes a null; returns whether there was one. */
export function skipNull(scanner: JsonScanner): boolean {
  if (scanner.peek() !== LOWER_N) return false;
  scanner.skipScalar();
  return true;
}

/** Reads the name that the member `kind` of an item has. Throws ItemProblem. */
export function readName(scanner: JsonScanner, kind: NameKind): string {
  if (scanner.peek() !== QUOTE) throw new ItemProblem('.', `"${kind}" must be a string`);
  const text = scanner.text();
  const problem = findNameProblem(kind, text);
  if (problem !== null) throw new ItemProblem('.', `"${kind}" ${problem}`);
  return text;
}
