/**
 * Lists in request bodies that are read item by item, by hand: what they share, and how what is wrong with an item
 * reads. Secrets it may hold: none; a name is none, and a message names a place only.
 */
import { type JsonScanner, QUOTE } from '../json/scan.ts';
import { BodyError, quoteName } from '../request-error.ts';
import { findNameProblem, type NameKind } from './names.ts';

const LOWER_N = 0x6e;

/** What is wrong with an item, to stand right behind the item's place in a sentence. */
export class ItemProblem extends Error {}

/** Throws BodyError, which names the place of what is wrong as `"secrets"[12]."value"`. `read` must consume the item. */
export function readList<Item>(scanner: JsonScanner, list: string, read: (index: number) => Item): Item[] {
  const items: Item[] = [];
  scanner.items(() => {
    try {
      items.push(read(items.length));
    } catch (error) {
      throw placeError(error, placeOfItem(list, items.length));
    }
  });
  return items;
}

export function placeOfItem(list: string, index: number): string {
  return `${quoteName(list)}[${index}]`;
}

function placeError(error: unknown, place: string): unknown {
  if (error instanceof ItemProblem) return new BodyError(place + error.message);
  // What the scanner says knows nothing of items.
  return error instanceof BodyError ? new BodyError(`${place}: ${error.message}`) : error;
}

/** Reads over a null, if there is one. */
export function skipNull(scanner: JsonScanner): boolean {
  if (scanner.peek() !== LOWER_N) return false;
  scanner.skipScalar();
  return true;
}

/** An item's member of that name. Throws ItemProblem. */
export function readName(scanner: JsonScanner, kind: NameKind): string {
  if (scanner.peek() !== QUOTE) throw new ItemProblem(`."${kind}" must be a string`);
  const text = scanner.text();
  const problem = findNameProblem(kind, text);
  if (problem !== null) throw new ItemProblem(`."${kind}" ${problem}`);
  return text;
}
