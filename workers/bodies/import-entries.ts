/**
 * Reads the entries of an import from the body and checks each at once. Not with zod: there may be a hundred thousand, and
 * the first wrong one ends the reading. Holds the SecretBytes of all entries until `wipe`. They are also in the list of
 * the parsed body, which zeroes them if reading fails.
 */

import { CONFIRMATIONS, parseConfirmation } from '../entries/confirm.ts';
import { quoteName } from '../errors/request-error.ts';
import { decodeBase64 } from '../json/base64.ts';
import { type RawMetadata, readMetadata } from '../json/parse.ts';
import { type JsonScanner, OPEN_BRACE, QUOTE } from '../json/scan.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import { NOT_A_DUE_DATE, NOT_A_TIME, parseDueDate, parseTime } from './due-dates.ts';
import { ItemProblem, placeOfItem, readList, readName, skipNull } from './list-items.ts';
import { findNameProblem } from './names.ts';

/** The most entries of one request. Each takes some hundred bytes of memory, however short it is. */
export const MAX_ENTRIES = 100_000;

const BASE64 = Buffer.from('base64');
/** The member of the body that has the entries. */
export const LIST = 'secrets';
const NOT_A_VALUE = 'must be a non-empty string';

export interface ImportEntry {
  readonly name: string;
  readonly environment: string;
  /** Absent: the entry has fields only, or its stored value stays. */
  readonly value?: SecretBytes;
  /**
   * Where its metadata begins in the body: parsed, it takes many times the memory, so it is parsed again for one entry at a
   * time (`ImportEntries.parseMetadata`).
   */
  readonly metadataOffset?: number;
  /** Unix seconds; 0 for no date. Absent: the stored one stays. */
  readonly expiresAt?: number;
  readonly rotateBy?: number;
  /** Whether the owner is asked, as stored. Absent: the stored one stays. */
  readonly confirm?: number;
  /** Unix seconds, for a new entry only: when it was made, and last changed, in the vault that it comes from. Absent: now. */
  readonly createdAt?: number;
  readonly updatedAt?: number;
  /** Empty where none are given. */
  readonly fields: readonly (readonly [field: string, value: SecretBytes])[];
}

export class ImportEntries {
  readonly list: readonly ImportEntry[];
  /** Reads the body, which has to stay as it is. */
  readonly #scanner: JsonScanner;

  constructor(list: readonly ImportEntry[], scanner: JsonScanner) {
    this.list = list;
    this.#scanner = scanner;
  }

  /** Returns the metadata that an entry gives, or undefined. Call it when the whole body has been read. */
  parseMetadata({ metadataOffset }: ImportEntry): RawMetadata | undefined {
    if (metadataOffset === undefined) return undefined;
    this.#scanner.goBackTo(metadataOffset);
    return readMetadata(this.#scanner);
  }

  wipe(): void {
    for (const { value, fields } of this.list) {
      value?.fill(0);
      for (const [, field] of fields) field.fill(0);
    }
  }
}

/** Throws BodyError, which names the wrong place as `"secrets"[12]."value"`. */
export function readImportEntries(scanner: JsonScanner, secrets: SecretBytes[]): ImportEntries {
  const reader = new ImportReader(scanner, secrets);
  return new ImportEntries(
    readList(scanner, LIST, (index) => reader.readEntry(index)),
    scanner,
  );
}

/** An entry, or the object of a field, while it is read. A member that is null in the body is absent here. */
interface Draft {
  name?: string;
  environment?: string;
  value?: SecretBytes;
  encoding?: SecretBytes;
  metadataOffset?: number;
  expiresAt?: number;
  rotateBy?: number;
  confirm?: number;
  createdAt?: number;
  updatedAt?: number;
  fields?: (readonly [field: string, value: SecretBytes])[];
}

class ImportReader {
  readonly #scanner: JsonScanner;
  readonly #secrets: SecretBytes[];
  /** Index of the entry by its environment and name. */
  readonly #indexes = new Map<string, Map<string, number>>();

  constructor(scanner: JsonScanner, secrets: SecretBytes[]) {
    this.#scanner = scanner;
    this.#secrets = secrets;
  }

  readEntry(index: number): ImportEntry {
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
    else if (member === 'value') draft.value = this.#readSecret('"value"');
    else if (member === 'encoding') draft.encoding = this.#readEncoding('"encoding"');
    else if (member === 'metadata') draft.metadataOffset = this.#skipMetadata();
    else if (member === 'expires_at') draft.expiresAt = this.#readDueDate(member);
    else if (member === 'rotate_by') draft.rotateBy = this.#readDueDate(member);
    else if (member === 'confirm') draft.confirm = this.#readConfirm();
    else if (member === 'created_at') draft.createdAt = this.#readTime(member);
    else if (member === 'updated_at') draft.updatedAt = this.#readTime(member);
    else if (member === 'fields') draft.fields = this.#readFields();
    else throw new ItemProblem(': ', `unknown member ${quoteName(member)}`);
  }

  #finish(draft: Draft, index: number): ImportEntry {
    const { name, environment = '', value, encoding, metadataOffset, fields, ...terms } = draft;
    if (name === undefined) throw new ItemProblem('.', '"name" is required');
    if (value === undefined && fields === undefined) throw new ItemProblem(' ', 'needs "value" or "fields"');
    this.#checkGivenOnce(name, environment, index);
    const decoded = decodeIfEncoded(value, encoding, null);
    return {
      name,
      environment,
      fields: fields ?? [],
      ...(decoded === undefined ? {} : { value: decoded }),
      ...(metadataOffset === undefined ? {} : { metadataOffset }),
      ...terms,
    };
  }

  #checkGivenOnce(name: string, environment: string, index: number): void {
    const indexes = this.#indexes.get(environment) ?? new Map<string, number>();
    if (indexes.size === 0) this.#indexes.set(environment, indexes);
    const first = indexes.get(name);
    if (first !== undefined)
      throw new ItemProblem(
        ' ',
        `has the name and environment of ${placeOfItem(LIST, first)}; give each entry once`,
        first,
      );
    indexes.set(name, index);
  }

  #readSecret(place: string): SecretBytes {
    if (this.#scanner.peek() !== QUOTE) throw new ItemProblem('.', `${place} ${NOT_A_VALUE}`);
    const secret = this.#scanner.secret();
    this.#secrets.push(secret);
    if (secret.length === 0) throw new ItemProblem('.', `${place} ${NOT_A_VALUE}`);
    return secret;
  }

  #readEncoding(place: string): SecretBytes {
    const text = this.#scanner.peek() === QUOTE ? this.#readSecret(place) : null;
    if (text === null || !BASE64.equals(text)) throw new ItemProblem('.', `${place} must be "base64"`);
    return text;
  }

  #readDueDate(member: string): number {
    const seconds = this.#scanner.peek() === QUOTE ? parseDueDate(this.#scanner.text()) : null;
    if (seconds === null) throw new ItemProblem('.', `${quoteName(member)} ${NOT_A_DUE_DATE}`);
    return seconds;
  }

  #readTime(member: string): number {
    const seconds = this.#scanner.peek() === QUOTE ? parseTime(this.#scanner.text()) : null;
    if (seconds === null) throw new ItemProblem('.', `${quoteName(member)} ${NOT_A_TIME}`);
    return seconds;
  }

  #readConfirm(): number {
    const confirm = this.#scanner.peek() === QUOTE ? parseConfirmation(this.#scanner.text()) : null;
    if (confirm === null) throw new ItemProblem('.', `"confirm" must be one of ${CONFIRMATIONS.join(', ')}`);
    return confirm;
  }

  /** Returns where it begins. */
  #skipMetadata(): number {
    if (this.#scanner.peek() !== OPEN_BRACE) throw new ItemProblem('.', '"metadata" must be an object');
    const { offset } = this.#scanner;
    this.#scanner.skipValue();
    return offset;
  }

  #readFields(): NonNullable<Draft['fields']> {
    if (this.#scanner.peek() !== OPEN_BRACE)
      throw new ItemProblem('.', '"fields" must be an object of non-empty strings');
    const fields: [field: string, value: SecretBytes][] = [];
    this.#scanner.members((field) => {
      const problem = findNameProblem('field', field);
      if (problem !== null) throw new ItemProblem('.', `"fields" has a member whose name ${problem}`);
      fields.push([field, this.#readField(`"fields".${quoteName(field)}`)]);
    });
    if (fields.length === 0) throw new ItemProblem('.', '"fields" must have at least one member');
    return fields;
  }

  /** A string, or an object of `value` and `encoding`. */
  #readField(place: string): SecretBytes {
    if (this.#scanner.peek() !== OPEN_BRACE) return this.#readSecret(place);
    const draft: Draft = {};
    this.#scanner.members((member) => {
      if (member === 'value') draft.value = this.#readSecret(`${place}."value"`);
      else if (member === 'encoding') draft.encoding = this.#readEncoding(`${place}."encoding"`);
      else throw new ItemProblem('.', `${place}: unknown member ${quoteName(member)}`);
    });
    const { value, encoding } = draft;
    if (value === undefined) throw new ItemProblem('.', `${place}."value" is required`);
    if (encoding === undefined) throw new ItemProblem('.', `${place}."encoding" is required`);
    return decodeIfEncoded(value, encoding, place) ?? value;
  }
}

/** Returns the value, decoded in place if it is base64. `place`: the object in the entry that has both; null: the entry. */
function decodeIfEncoded(
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
