/**
 * Parses request bodies. A secret becomes bytes and never a JavaScript string, because a string cannot be erased. Holds the
 * SecretBytes of a body until `wipeParsedBody`; if parsing fails, they are zeroed here. The caller zeroes the body itself.
 *
 * The strings of a member are secret unless the member is known to be plain. A misspelt "valeu" or an array of values is
 * refused later, but by then it has been read.
 */

import { BodyError } from '../errors/request-error.ts';
import { JsonScanner, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './scan.ts';
import type { SecretBytes } from './secret-bytes.ts';

/** First letters of `null`, `true` and `false`. */
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const LOWER_F = 0x66;

/** Metadata as it is stored and searched. It is plaintext. */
export class RawMetadata {
  /** The object's JSON without whitespace, numbers as written, members in their order. */
  readonly text: string;
  /** Each top-level member with the text of its value: a string without its quotes and escapes, anything else as JSON. */
  readonly entries: readonly (readonly [key: string, text: string])[];
  /** Every member name and the text of every scalar, at every depth. */
  readonly searchTexts: readonly string[];

  constructor(text: string, entries: RawMetadata['entries'], searchTexts: readonly string[]) {
    this.text = text;
    this.entries = entries;
    this.searchTexts = searchTexts;
  }
}

export type BodyValue =
  | SecretBytes
  | RawMetadata
  | string
  | number
  | boolean
  | null
  | BodyValue[]
  | { [name: string]: BodyValue };

/** Reads a list item by item and adds the secrets in it to `secrets`. The scanner is at the `[`. */
export type ListReader = (scanner: JsonScanner, secrets: SecretBytes[]) => object;

export interface ParsedBody {
  /** The top-level members; objects have no prototype. */
  readonly members: { [name: string]: BodyValue | object };
  /** Every SecretBytes in `members`, at any depth. */
  readonly secrets: readonly SecretBytes[];
}

/**
 * Throws BodyError, with all secrets zeroed, unless the body is one JSON object and nothing else. `plain` names the
 * top-level members whose strings and numbers are not secret; `lists` has readers for top-level members that are lists.
 */
export function parseBody(
  body: Uint8Array,
  plain: ReadonlySet<string>,
  lists: ReadonlyMap<string, ListReader> = new Map(),
): ParsedBody {
  const scanner = new JsonScanner(body);
  const secrets: SecretBytes[] = [];
  try {
    if (scanner.peek() !== OPEN_BRACE) throw new BodyError('the body must be a JSON object');
    const members = readMembers<BodyValue | object>(scanner, (name) => {
      const readList = scanner.peek() === OPEN_BRACKET ? lists.get(name) : undefined;
      if (readList !== undefined) return readList(scanner, secrets);
      return plain.has(name) ? readPlain(scanner) : readMember(scanner, name, secrets);
    });
    scanner.end();
    return { members, secrets };
  } catch (error) {
    wipeParsedBody({ secrets });
    throw error;
  }
}

/** Zeroes the secrets of a parsed body. */
export function wipeParsedBody({ secrets }: Pick<ParsedBody, 'secrets'>): void {
  for (const secret of secrets) secret.fill(0);
}

function readMember(scanner: JsonScanner, name: string, secrets: SecretBytes[]): BodyValue {
  if (name === 'metadata' && scanner.peek() === OPEN_BRACE) return readMetadata(scanner);
  return readSecret(scanner, secrets);
}

function readMembers<Value>(
  scanner: JsonScanner,
  readValue: (name: string) => Value,
): { [name: string]: Value } {
  const members: { [name: string]: Value } = Object.create(null);
  scanner.members((name) => {
    members[name] = readValue(name);
  });
  return members;
}

function readItems(scanner: JsonScanner, readValue: () => BodyValue): BodyValue[] {
  const items: BodyValue[] = [];
  scanner.items(() => items.push(readValue()));
  return items;
}

function readPlain(scanner: JsonScanner): BodyValue {
  const first = scanner.peek();
  if (first === QUOTE) return scanner.text();
  if (first === OPEN_BRACE) return readMembers(scanner, () => readPlain(scanner));
  if (first === OPEN_BRACKET) return readItems(scanner, () => readPlain(scanner));
  const text = scanner.scalarText();
  if (text === 'null') return null;
  return text === 'true' || text === 'false' ? text === 'true' : Number(text);
}

/** Reads strings as bytes. A number becomes NaN: no number is valid here, and it may be a PIN without its quotes. */
function readSecret(scanner: JsonScanner, secrets: SecretBytes[]): BodyValue {
  const first = scanner.peek();
  if (first === OPEN_BRACE) return readMembers(scanner, () => readSecret(scanner, secrets));
  if (first === OPEN_BRACKET) return readItems(scanner, () => readSecret(scanner, secrets));
  if (first === QUOTE) {
    const secret = scanner.secret();
    secrets.push(secret);
    return secret;
  }
  scanner.skipScalar();
  if (first === LOWER_N) return null;
  return first === LOWER_T || first === LOWER_F ? first === LOWER_T : Number.NaN;
}

/** Parses metadata that was stored. Throws BodyError for text that is not a JSON object. */
export function parseMetadata(text: string): RawMetadata {
  const scanner = new JsonScanner(Buffer.from(text));
  if (scanner.peek() !== OPEN_BRACE) throw new BodyError('metadata must be a JSON object');
  const metadata = readMetadata(scanner);
  scanner.end();
  return metadata;
}

/** The scanner is at the `{` of the object. */
export function readMetadata(scanner: JsonScanner): RawMetadata {
  const searchTexts: string[] = [];
  const entries: [key: string, text: string][] = [];
  const text = compactObject(scanner, searchTexts, (name, value) => entries.push([name, value.text]));
  return new RawMetadata(text, entries, searchTexts);
}

/** A value as JSON without whitespace, and as text: a string without its quotes and escapes, anything else as JSON. */
interface CompactValue {
  readonly json: string;
  readonly text: string;
}

function compactObject(
  scanner: JsonScanner,
  searchTexts: string[],
  visit: (name: string, value: CompactValue) => void = () => {},
): string {
  const parts: string[] = [];
  scanner.members((name) => {
    searchTexts.push(name);
    const value = compactValue(scanner, searchTexts);
    parts.push(`${JSON.stringify(name)}:${value.json}`);
    visit(name, value);
  });
  return `{${parts.join(',')}}`;
}

function compactArray(scanner: JsonScanner, searchTexts: string[]): string {
  const parts: string[] = [];
  scanner.items(() => parts.push(compactValue(scanner, searchTexts).json));
  return `[${parts.join(',')}]`;
}

function compactValue(scanner: JsonScanner, searchTexts: string[]): CompactValue {
  const first = scanner.peek();
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    const json =
      first === OPEN_BRACE ? compactObject(scanner, searchTexts) : compactArray(scanner, searchTexts);
    return { json, text: json };
  }
  const text = first === QUOTE ? scanner.text() : scanner.scalarText();
  searchTexts.push(text);
  return { json: first === QUOTE ? JSON.stringify(text) : text, text };
}
