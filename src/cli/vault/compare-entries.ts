/** What differs between two versions of an entry, part by part. */
import type { EncodedValue, Secret } from '../../client/types.ts';

export interface Difference {
  readonly change: 'changed' | 'added' | 'removed';
  /** What kind of part it is. */
  readonly part: 'value' | 'field' | 'metadata' | 'expires_at' | 'rotate_by' | 'confirm';
  /** The name of the field, or the key of the metadata. */
  readonly name?: string;
  /** What was there and what is, as the API has it; undefined where there was or is nothing. */
  readonly before?: unknown;
  readonly after?: unknown;
}

type Parts = { readonly [name: string]: unknown };

/** Returns the differences: of the value, then of the fields, the metadata and the dates, each by name. */
export function compareEntries(before: Secret, after: Secret): Difference[] {
  return [
    ...compareOne('value', encodeOwnValue(before), encodeOwnValue(after)),
    ...compareParts('field', before.fields, after.fields),
    ...compareParts('metadata', before.metadata, after.metadata),
    ...compareOne('expires_at', before.expires_at, after.expires_at),
    ...compareOne('rotate_by', before.rotate_by, after.rotate_by),
    ...compareOne('confirm', before.confirm, after.confirm),
  ];
}

function compareParts(part: Difference['part'], before: Parts = {}, after: Parts = {}): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) =>
    compareOne(part, findOwn(before, name), findOwn(after, name)).map((found) => ({ ...found, name })),
  );
}

function findOwn(parts: Parts, name: string): unknown {
  return Object.hasOwn(parts, name) ? parts[name] : undefined;
}

function compareOne(part: Difference['part'], before: unknown, after: unknown): Difference[] {
  // The members of both are in the order in which the vault writes them.
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return [{ change, part, before, after }];
}

function encodeOwnValue({ value, encoding }: Secret): EncodedValue | undefined {
  return value === undefined || encoding === undefined ? value : { value, encoding };
}
