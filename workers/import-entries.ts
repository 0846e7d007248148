/**
 * The entries of an import, read from the body and checked as they come. By hand: there may be a hundred thousand, and
 * the first one that is wrong ends the reading.
 * Secrets it may hold: the SecretBytes of all entries, until `wipe`; they are also on the list of the whole body, which
 * zeroes them when reading fails.
 */
import { decodeBase64 } from './base64.ts';
import { type RawMetadata, readMetadata } from './json.ts';
import { type JsonScanner, OPEN_BRACE, QUOTE } from './json-scan.ts';
import { findNameProblem, type NameKind } from './names.ts';
import { BodyError, quoteName } from './request-error.ts';
import type { SecretBytes } from './secret-bytes.ts';

const BASE64 = Buffer.from('base64');
const LOWER_N = 0x6e;
const NOT_A_VALUE = 'must be a non-empty string';

export interface ImportEntry {
  readonly name: string;
  readonly environment: string;
  /** Absent: an entry of fields only, or a value that stays. */
  readonly value?: SecretBytes;
  readonly metadata?: RawMetadata;
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

/** What is wrong with an entry, to stand right behind the entry's place in a sentence. */
class EntryProblem extends Error {}

/** Throws BodyError, which names the place of what is wrong as `"secrets"[12]."value"`. */
export function readImportEntries(scanner: JsonScanner, secrets: SecretBytes[]): ImportEntries {
  const list: ImportEntry[] = [];
  const reader = new EntryReader(scanner, secrets);
  scanner.items(() => {
    try {
      list.push(reader.read(list.length));
    } catch (error) {
      throw placeError(error, list.length);
    }
  });
  return new ImportEntries(list);
}

function placeOfEntry(index: number): string {
  return `"secrets"[${index}]`;
}

function placeError(error: unknown, index: number): unknown {
  const place = placeOfEntry(index);
  if (error instanceof EntryProblem) return new BodyError(place + error.message);
  // What the scanner says knows nothing of entries.
  return error instanceof BodyError ? new BodyError(`${place}: ${error.message}`) : error;
}

/** An entry, or a field's object, as it is being read: what was null is absent. */
interface Draft {
  name?: string;
  environment?: string;
  value?: SecretBytes;
  encoding?: SecretBytes;
  metadata?: RawMetadata;
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
    if (this.#scanner.peek() !== OPEN_BRACE) throw new EntryProblem(' must be an object');
    const draft: Draft = {};
    this.#scanner.members((member) => {
      if (!this.#skipNull()) this.#readMember(draft, member);
    });
    return this.#finish(draft, index);
  }

  #readMember(draft: Draft, member: string): void {
    if (member === 'name') draft.name = this.#name(member);
    else if (member === 'environment') draft.environment = this.#name(member);
    else if (member === 'value') draft.value = this.#secret('."value"');
    else if (member === 'encoding') draft.encoding = this.#encoding('."encoding"');
    else if (member === 'metadata') draft.metadata = this.#metadata();
    else if (member === 'fields') draft.fields = this.#fields();
    else throw new EntryProblem(`: unknown member ${quoteName(member)}`);
  }

  #finish({ name, environment = '', value, encoding, metadata, fields }: Draft, index: number): ImportEntry {
    if (name === undefined) throw new EntryProblem('."name" is required');
    if (value === undefined && fields === undefined) throw new EntryProblem(' needs "value" or "fields"');
    this.#checkNew(name, environment, index);
    const decoded = decode(value, encoding, '');
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
      throw new EntryProblem(` has the name and environment of ${placeOfEntry(first)}; give each entry once`);
    this.#indexes.set(key, index);
  }

  /** Reads over a null, if there is one. */
  #skipNull(): boolean {
    if (this.#scanner.peek() !== LOWER_N) return false;
    this.#scanner.skipScalar();
    return true;
  }

  #name(kind: Exclude<NameKind, 'field'>): string {
    if (this.#scanner.peek() !== QUOTE) throw new EntryProblem(`."${kind}" must be a string`);
    const text = this.#scanner.text();
    const problem = findNameProblem(kind, text);
    if (problem !== null) throw new EntryProblem(`."${kind}" ${problem}`);
    return text;
  }

  #secret(place: string): SecretBytes {
    if (this.#scanner.peek() !== QUOTE) throw new EntryProblem(`${place} ${NOT_A_VALUE}`);
    const secret = this.#scanner.secret();
    this.#secrets.push(secret);
    if (secret.length === 0) throw new EntryProblem(`${place} ${NOT_A_VALUE}`);
    return secret;
  }

  #encoding(place: string): SecretBytes {
    const text = this.#scanner.peek() === QUOTE ? this.#secret(place) : null;
    if (text === null || !BASE64.equals(text)) throw new EntryProblem(`${place} must be "base64"`);
    return text;
  }

  #metadata(): RawMetadata {
    if (this.#scanner.peek() !== OPEN_BRACE) throw new EntryProblem('."metadata" must be an object');
    return readMetadata(this.#scanner);
  }

  #fields(): NonNullable<Draft['fields']> {
    if (this.#scanner.peek() !== OPEN_BRACE)
      throw new EntryProblem('."fields" must be an object of non-empty strings');
    const fields: [field: string, value: SecretBytes][] = [];
    this.#scanner.members((field) => {
      const problem = findNameProblem('field', field);
      if (problem !== null) throw new EntryProblem(`."fields" has a member whose name ${problem}`);
      fields.push([field, this.#field(`."fields".${quoteName(field)}`)]);
    });
    if (fields.length === 0) throw new EntryProblem('."fields" must have at least one member');
    return fields;
  }

  /** A string, or an object of value and encoding. */
  #field(place: string): SecretBytes {
    if (this.#scanner.peek() !== OPEN_BRACE) return this.#secret(place);
    const draft: Draft = {};
    this.#scanner.members((member) => {
      if (member === 'value') draft.value = this.#secret(`${place}."value"`);
      else if (member === 'encoding') draft.encoding = this.#encoding(`${place}."encoding"`);
      else throw new EntryProblem(`${place}: unknown member ${quoteName(member)}`);
    });
    const { value, encoding } = draft;
    if (value === undefined) throw new EntryProblem(`${place}."value" is required`);
    if (encoding === undefined) throw new EntryProblem(`${place}."encoding" is required`);
    return decode(value, encoding, place) ?? value;
  }
}

/** The value itself; decoded where it lies if it is base64. `place` leads to the object that has both. */
function decode(
  value: SecretBytes | undefined,
  encoding: SecretBytes | undefined,
  place: string,
): SecretBytes | undefined {
  if (encoding === undefined) return value;
  encoding.fill(0);
  if (value === undefined) throw new EntryProblem(`${place}: "encoding" needs "value" beside it`);
  const decoded = decodeBase64(value);
  if (decoded === null)
    throw new EntryProblem(`${place}."value" must be base64 with its padding (RFC 4648 section 4)`);
  return decoded;
}
