/**
 * The context: what a stored blob belongs to, bound into it as additional data. Everything in a context (names,
 * environments, field names) is plaintext in the database.
 */

import { Buffer } from 'node:buffer';
import { encodeFields, U32_SIZE, U64_SIZE, writeField, writeText, writeU64 } from './encoding.ts';
import { assertSize, VAULT_ID_SIZE } from './sizes.ts';

export type ContextKind = 'secret' | 'field' | 'kek' | 'slot' | 'token';

export interface Context {
  /** 16 bytes. */
  readonly vaultId: Uint8Array;
  readonly kind: ContextKind;
  readonly environment: string;
  readonly name: string;
  readonly field: string;
  /** A safe non-negative integer. */
  readonly version: number;
}

/** The version of the stored format: a blob of another version is never decrypted by accident. */
const FORMAT = encodeFields('mav.v4');
const FIXED_SIZE = FORMAT.length + U32_SIZE + VAULT_ID_SIZE + 4 * U32_SIZE + U64_SIZE;

/**
 * LP("mav.v4") LP(vault id) LP(kind) LP(environment) LP(name) LP(field) u64(version), in one allocation: it runs
 * for every value that is read. Throws RangeError for a vault id of another length and for ill-formed text,
 * IntegrityError for a version that is no safe non-negative integer.
 */
export function encodeContext(context: Context): Buffer<ArrayBuffer> {
  const { vaultId, kind, environment, name, field } = context;
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  const environmentSize = Buffer.byteLength(environment);
  const nameSize = Buffer.byteLength(name);
  const fieldSize = Buffer.byteLength(field);
  const out = Buffer.allocUnsafe(FIXED_SIZE + kind.length + environmentSize + nameSize + fieldSize);
  out.set(FORMAT, 0);
  let offset = writeField(out, vaultId, FORMAT.length);
  offset = writeText(out, kind, kind.length, offset);
  offset = writeText(out, environment, environmentSize, offset);
  offset = writeText(out, name, nameSize, offset);
  offset = writeText(out, field, fieldSize, offset);
  writeU64(out, context.version, offset);
  return out;
}
