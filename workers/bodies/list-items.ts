/**
 * Lists in request bodies that are read item by item, by hand: what they share, and how what is wrong with an item
 * reads. Secrets it may hold: none; a name is none, and a message names a place only.
 */

import { BodyError, quoteName } from '../errors/request-error.ts';
import { type JsonScanner, QUOTE } from '../json/scan.ts';
import { findNameProblem, type NameKind } from './names.ts';

const LOWER_N = 0x6e;

/** What stands between an item's place and the problem: a member of it follows, or what is wrong with all of it. */
type Joint = '.' | ': ' | ' ';

/** What is wrong with an item: `message`, without the place of the item. */
export class ItemProblem extends Error {
  readonly joint: Joint;
  /** The index of an earlier item that has what this one must not have too. */
  readonly sameAs: number | undefined;

  constructor(joint: Joint, message: string, sameAs?: number) {
    super(message);
    this.joint = joint;
    this.sameAs = sameAs;
  }
}

/** Throws BodyError, which names the place of what is wrong as `"secrets"[12]."value"`. `read` must consume the item. */
export function readList<Item>(scanner: JsonScanner, list: string, read: (index: number) => Item): Item[] {
  const items: Item[] = [];
  scanner.items(() => {
    try {
      items.push(read(items.length));
    } catch (error) {
      throw placeError(error, list, items.length);
    }
  });
  return items;
}

export function placeOfItem(list: string, index: number): string {
  return `${quoteName(list)}[${index}]`;
}

function placeError(error: unknown, list: string, index: number): unknown {
  // What the scanner says knows nothing of items.
  const wrong = error instanceof BodyError ? new ItemProblem(': ', error.message) : error;
  if (!(wrong instanceof ItemProblem)) return error;
  const { joint, message, sameAs } = wrong;
  const at = { list, index, problem: message, ...(sameAs === undefined ? {} : { same_as: sameAs }) };
  return new BodyError(`${placeOfItem(list, index)}${joint}${message}`, { at });
}

/** Reads over a null, if there is one. */
export function skipNull(scanner: JsonScanner): boolean {
  if (scanner.peek() !== LOWER_N) return false;
  scanner.skipScalar();
  return true;
}

/** An item's member of that name. Throws ItemProblem. */
export function readName(scanner: JsonScanner, kind: NameKind): string {
  if (scanner.peek() !== QUOTE) throw new ItemProblem('.', `"${kind}" must be a string`);
  const text = scanner.text();
  const problem = findNameProblem(kind, text);
  if (problem !== null) throw new ItemProblem('.', `"${kind}" ${problem}`);
  return text;
}
