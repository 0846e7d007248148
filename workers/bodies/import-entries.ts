/**
 * The entries of an import, read from the body and checked as they come. By hand: there may be a hundred thousand, and
 * the first one that is wrong ends the reading.
 * Secrets it may hold: the SecretBytes of all entries, until `wipe`; they are also on the list of the whole body, which
 * zeroes them when reading fails.
 */

import { quoteName } from '../errors/request-error.ts';
import { decodeBase64 } from '../json/base64.ts';
import { type RawMetadata, readMetadata } from '../json/parse.ts';
import { type JsonScanner, OPEN_BRACE, QUOTE } from '../json/scan.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import { ItemProblem, placeOfItem, readList, readName, skipNull } from './list-items.ts';
import { findNameProblem } from './names.ts';

/** Of one request; each takes some hundred bytes while it is under way, however short it is. */
export const MAX_ENTRIES = 100_000;

const BASE64 = Buffer.from('base64');
export const LIST = 'secrets';
const NOT_A_VALUE = 'must be a non-empty string';

export interface ImportEntry {
  readonly name: string;
  readonly environment: string;
  /** Absent: an entry of fields only, or a value that stays. */
  readonly value?: SecretBytes;
  /** Its text alone: what an index wants of it takes many times the room, and is for one entry at a time. */
  readonly metadata?: Pick<RawMetadata, 'text'>;
  /** Empty where none are given. */
  readonly fields: readonly (readonly [field: string, value: SecretBytes])[];
}

export class ImportEntries {
  readonly list: readonly ImportEntry[];

  constructor(list: readonly ImportEntry[]) {
    this.list = list;
  }

  wipe(): void {
    for (const { value, fields } of this.list) {
      value?.fill(0);
      for (const [, field] of fields) field.fill(0);
    }
  }
}

/** Throws BodyError, which names the place of what is wrong as `"secrets"[12]."value"`. */
export function readImportEntries(scanner: JsonScanner, secrets: SecretBytes[]): ImportEntries {
  const reader = new EntryReader(scanner, secrets);
  return new ImportEntries(readList(scanner, LIST, (index) => reader.read(index)));
}

/** An entry, or a field's object, as it is being read: what was null is absent. */
interface Draft {
  name?: string;
  environment?: string;
  value?: SecretBytes;
  encoding?: SecretBytes;
  metadata?: Pick<RawMetadata, 'text'>;
  fields?: (readonly [field: string, value: SecretBytes])[];
}

class EntryReader {
  readonly #scanner: JsonScanner;
  readonly #secrets: SecretBytes[];
  /** Which entry a name and environment were first given in. No name has a NUL. */
  readonly #indexes = new Map<string, number>();

  constructor(scanner: JsonScanner, secrets: SecretBytes[]) {
    this.#scanner = scanner;
    this.#secrets = secrets;
  }

  read(index: number): ImportEntry {
    if (index >= MAX_ENTRIES) throw new ItemProblem(': ', `at most ${MAX_ENTRIES} entries at once`);
    if (this.#scanner.peek() !== OPEN_BRACE) throw new ItemProblem(' ', 'must be an object');
    const draft: Draft = {};
    this.#scanner.members((member) => {
      if (!skipNull(this.#scanner)) this.#readMember(draft, member);
    });
    return this.#finish(draft, index);
  }

  #readMember(draft: Draft, member: string): void {
    if (member === 'name') draft.name = readName(this.#scanner, member);
    else if (member === 'environment') draft.environment = readName(this.#scanner, member);
    else if (member === 'value') draft.value = this.#secret('"value"');
    else if (member === 'encoding') draft.encoding = this.#encoding('"encoding"');
    else if (member === 'metadata') draft.metadata = this.#metadata();
    else if (member === 'fields') draft.fields = this.#fields();
    else throw new ItemProblem(': ', `unknown member ${quoteName(member)}`);
  }

  #finish({ name, environment = '', value, encoding, metadata, fields }: Draft, index: number): ImportEntry {
    if (name === undefined) throw new ItemProblem('.', '"name" is required');
    if (value === undefined && fields === undefined) throw new ItemProblem(' ', 'needs "value" or "fields"');
    this.#checkNew(name, environment, index);
    const decoded = decodeValue(value, encoding, null);
    return {
      name,
      environment,
      fields: fields ?? [],
      ...(decoded === undefined ? {} : { value: decoded }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  #checkNew(name: string, environment: string, index: number): void {
    const key = `${name}\0${environment}`;
    const first = this.#indexes.get(key);
    if (first !== undefined)
      throw new ItemProblem(
        ' ',
        `has the name and environment of ${placeOfItem(LIST, first)}; give each entry once`,
        first,
      );
    this.#indexes.set(key, index);
  }

  #secret(place: string): SecretBytes {
    if (this.#scanner.peek() !== QUOTE) throw new ItemProblem('.', `${place} ${NOT_A_VALUE}`);
    const secret = this.#scanner.secret();
    this.#secrets.push(secret);
    if (secret.length === 0) throw new ItemProblem('.', `${place} ${NOT_A_VALUE}`);
    return secret;
  }

  #encoding(place: string): SecretBytes {
    const text = this.#scanner.peek() === QUOTE ? this.#secret(place) : null;
    if (text === null || !BASE64.equals(text)) throw new ItemProblem('.', `${place} must be "base64"`);
    return text;
  }

  #metadata(): Pick<RawMetadata, 'text'> {
    if (this.#scanner.peek() !== OPEN_BRACE) throw new ItemProblem('.', '"metadata" must be an object');
    return { text: readMetadata(this.#scanner).text };
  }

  #fields(): NonNullable<Draft['fields']> {
    if (this.#scanner.peek() !== OPEN_BRACE)
      throw new ItemProblem('.', '"fields" must be an object of non-empty strings');
    const fields: [field: string, value: SecretBytes][] = [];
    this.#scanner.members((field) => {
      const problem = findNameProblem('field', field);
      if (problem !== null) throw new ItemProblem('.', `"fields" has a member whose name ${problem}`);
      fields.push([field, this.#field(`"fields".${quoteName(field)}`)]);
    });
    if (fields.length === 0) throw new ItemProblem('.', '"fields" must have at least one member');
    return fields;
  }

  /** A string, or an object of value and encoding. */
  #field(place: string): SecretBytes {
    if (this.#scanner.peek() !== OPEN_BRACE) return this.#secret(place);
    const draft: Draft = {};
    this.#scanner.members((member) => {
      if (member === 'value') draft.value = this.#secret(`${place}."value"`);
      else if (member === 'encoding') draft.encoding = this.#encoding(`${place}."encoding"`);
      else throw new ItemProblem('.', `${place}: unknown member ${quoteName(member)}`);
    });
    const { value, encoding } = draft;
    if (value === undefined) throw new ItemProblem('.', `${place}."value" is required`);
    if (encoding === undefined) throw new ItemProblem('.', `${place}."encoding" is required`);
    return decodeValue(value, encoding, place) ?? value;
  }
}

/** The value itself; decoded where it lies if it is base64. `place` leads to the object that has both; null: the item. */
function decodeValue(
  value: SecretBytes | undefined,
  encoding: SecretBytes | undefined,
  place: string | null,
): SecretBytes | undefined {
  if (encoding === undefined) return value;
  encoding.fill(0);
  if (value === undefined) throw problemAt(place, ': ', '"encoding" needs "value" beside it');
  const decoded = decodeBase64(value);
  if (decoded === null)
    throw problemAt(place, '.', '"value" must be base64 with its padding (RFC 4648 section 4)');
  return decoded;
}

function problemAt(place: string | null, joint: '.' | ': ', problem: string): ItemProblem {
  return place === null ? new ItemProblem(joint, problem) : new ItemProblem('.', place + joint + problem);
}
