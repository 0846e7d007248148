/**
 * Request bodies, parsed without making a secret a JavaScript string (strings cannot be erased; bytes can).
 * Secrets it may hold: the SecretBytes of a body until `wipeParsedBody`, or until parsing fails, when it zeroes them
 * itself. The body's own bytes belong to the caller, who zeroes them.
 *
 * A member's strings are secret unless its name is known not to be: a misspelt "valeu" or a value in an array
 * is refused later, but it has been read by then.
 */

import { BodyError } from '../errors/request-error.ts';
import { JsonScanner, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './scan.ts';
import type { SecretBytes } from './secret-bytes.ts';

/** Metadata, as it is stored and searched. Not secret. */
export class RawMetadata {
  /** The object's JSON without whitespace, numbers as written, members in their order. */
  readonly text: string;
  /** Each top-level member with its value's text: a string decoded, anything else its JSON. */
  readonly entries: readonly (readonly [key: string, text: string])[];
  /** Every key and every scalar's text, at every depth. */
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

/** Reads a list of its own kind, item by item, and adds the secrets in it to `secrets`. The scanner stands at its `[`. */
export type ListReader = (scanner: JsonScanner, secrets: SecretBytes[]) => object;

export interface ParsedBody {
  /** The top-level members; objects have no prototype. */
  readonly members: { [name: string]: BodyValue | object };
  /** Every SecretBytes among them, at any depth. */
  readonly secrets: readonly SecretBytes[];
}

/**
 * Throws BodyError, all secrets zeroed, unless the body is one JSON object and nothing else. `lists`: the top-level
 * members that are lists with a reader of their own; `plain`: those whose strings and numbers are no secret.
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
    wipeAll(secrets);
    throw error;
  }
}

export function wipeParsedBody(parsed: ParsedBody): void {
  wipeAll(parsed.secrets);
}

function wipeAll(secrets: readonly SecretBytes[]): void {
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

/** Strings as bytes. A number may be a PIN that lacks its quotes: it is never right here, and not kept (NaN). */
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
  if (first === 0x6e) return null;
  return first === 0x74 || first === 0x66 ? first === 0x74 : Number.NaN;
}

/** Metadata as it was stored, read anew. Throws BodyError for what this module did not write. */
export function parseMetadata(text: string): RawMetadata {
  const scanner = new JsonScanner(Buffer.from(text));
  if (scanner.peek() !== OPEN_BRACE) throw new BodyError('metadata must be a JSON object');
  const metadata = readMetadata(scanner);
  scanner.end();
  return metadata;
}

/** The scanner stands at the object's `{`. */
export function readMetadata(scanner: JsonScanner): RawMetadata {
  const searchTexts: string[] = [];
  const entries: [key: string, text: string][] = [];
  const text = compactObject(scanner, searchTexts, (name, value) => entries.push([name, value.text]));
  return new RawMetadata(text, entries, searchTexts);
}

/** A value's JSON without whitespace, and its text (of a string, decoded). */
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
