/** Reads one secret with all that is kept of it, each row with the fields that its wrap binds, and no payload. */
import type { BoundRow, FieldVersion } from '../envelope/row-digest.ts';
import type { FieldWrap, OldFieldWrap, SecretHead, WrapStore } from '../store/wraps.ts';

export interface WholeEntry {
  /** The old versions, oldest first, and then the current one, unless the secret was deleted. */
  readonly rows: readonly (SecretHead & BoundRow & { readonly isOld: boolean })[];
  readonly fields: readonly FieldWrap[];
  readonly oldFields: readonly OldFieldWrap[];
}

export function readEntry(wraps: WrapStore, id: number): WholeEntry {
  const secret = wraps.findSecret(id);
  const versions = wraps.listVersions(id);
  const fields = wraps.listFields(id).toSorted(compareNames);
  const oldFields = versions.length === 0 ? [] : wraps.listOldFields(id);
  const old = versions.map((row) => ({ ...row, fields: pickFieldsAt(row.revision, fields, oldFields) }));
  const current = secret === null ? [] : [{ ...secret, isOld: false, fields }];
  return { rows: [...old, ...current], fields, oldFields };
}

/** Returns the fields that a version had, as its row binds them: those of today that it had already, and those replaced later. */
function pickFieldsAt(
  revision: number,
  fields: readonly FieldWrap[],
  oldFields: readonly OldFieldWrap[],
): readonly FieldVersion[] {
  const then = [...fields, ...oldFields.filter(({ until }) => until > revision)];
  return then.filter((field) => field.revision <= revision).toSorted(compareNames);
}

/** In the order of their names' bytes, in which a digest has them. */
function compareNames(one: FieldVersion, other: FieldVersion): number {
  return Buffer.compare(Buffer.from(one.field), Buffer.from(other.field));
}
