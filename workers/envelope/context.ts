/**
 * The context: what a stored blob belongs to, bound into it as additional data. Everything in a context (names,
 * environments, field names) is plaintext in the database.
 */

import type { Buffer } from 'node:buffer';
import { encodeFields } from './encoding.ts';
import { assertSize, VAULT_ID_SIZE } from './sizes.ts';

export type ContextKind = 'secret' | 'field' | 'kek' | 'slot' | 'token' | 'audit' | 'rows';

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
const FORMAT = 'mav.v5';

/**
 * Returns LP("mav.v5") LP(vault id) LP(kind) LP(environment) LP(name) LP(field) u64(version). Throws RangeError for a vault
 * id of another length and for ill-formed text, IntegrityError for a version that is not a safe non-negative integer.
 */
export function encodeContext(context: Context): Buffer<ArrayBuffer> {
  const { vaultId, kind, environment, name, field, version } = context;
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  return encodeFields([FORMAT, vaultId, kind, environment, name, field, version]);
}
