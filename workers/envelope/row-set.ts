/**
 * The MAC over a set of rows: an incremental multiset hash, MSet-Add-Hash of Clarke, Devadas, van Dijk, Gassend and Suh
 * (ASIACRYPT 2003). A keyed pseudorandom function turns each row into a number of 256 bits, and the set is the sum of its rows'
 * numbers modulo 2^256. So a row is added or removed without reading the others. The sums are kept encrypted, because whoever
 * sees them could look for other rows with the same sum.
 *
 *     state = "MAVR" | suite 0x02 | nonce 24 | ciphertext | tag 16        AAD = magic ‖ suite ‖ ctx ‖ u64 time
 *
 * The version in ctx is the epoch. Sees the keys, which belong to the caller.
 */
import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { encodeContext } from './context.ts';
import { deriveKey } from './derive.ts';
import { encodeFields } from './encoding.ts';
import { assertHeader, createHeader, HEADER_SIZE } from './header.ts';
import { IntegrityError } from './integrity.ts';
import { fillRandom } from './random.ts';
import { assertSize, MAC_SIZE, NONCE_SIZE, TAG_SIZE, VAULT_ID_SIZE } from './sizes.ts';
import { decryptBytes, encryptBytes, writeMac } from './sodium.ts';
import { viewBytes } from './view.ts';

/** What a state is bound to. */
export interface StateHead {
  /** 16 bytes. */
  readonly vaultId: Uint8Array;
  /** Counts the commits that changed a covered row. */
  readonly epoch: number;
  /** When the last of them was, in Unix seconds. */
  readonly writtenAt: number;
}

const HEADER = createHeader('MAVR');
const BODY_OFFSET = HEADER_SIZE + NONCE_SIZE;
const OVERHEAD = BODY_OFFSET + TAG_SIZE;

/** Writes the key that turns the rows of a table into numbers into the 32 bytes of `target`, for the caller to zero. */
export function deriveRowKey(
  setKey: Uint8Array,
  vaultId: Uint8Array,
  table: string,
  target: Uint8Array,
): void {
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  deriveKey(setKey, 'mav.v5.row-set', encodeFields([vaultId, table]), target);
}

/** Writes the key of states into the 32 bytes of `target`, for the caller to zero. */
export function deriveStateKey(setKey: Uint8Array, vaultId: Uint8Array, target: Uint8Array): void {
  assertSize(vaultId, VAULT_ID_SIZE, 'a vault id');
  deriveKey(setKey, 'mav.v5.row-set-state', encodeFields([vaultId]), target);
}

/** Writes the number of a row, 32 bytes big-endian, into `target`: HMAC-SHA-512-256 of its covered bytes. */
export function hashCovered(rowKey: Uint8Array, covered: Uint8Array, target: Uint8Array): void {
  writeMac(rowKey, covered, target);
}

/** Adds the number `term` to the one in `sum`, modulo 2^256. Both are 32 bytes big-endian. */
export function addToSum(sum: Uint8Array, term: Uint8Array): void {
  assertNumbers(sum, term);
  let carry = 0;
  for (let at = MAC_SIZE - 1; at >= 0; at--) {
    carry += (sum[at] as number) + (term[at] as number);
    sum[at] = carry;
    carry >>= 8;
  }
}

/** As addToSum, but takes the number away. */
export function takeFromSum(sum: Uint8Array, term: Uint8Array): void {
  assertNumbers(sum, term);
  let borrow = 0;
  for (let at = MAC_SIZE - 1; at >= 0; at--) {
    borrow += (sum[at] as number) - (term[at] as number);
    sum[at] = borrow;
    borrow >>= 8;
  }
}

function assertNumbers(sum: Uint8Array, term: Uint8Array): void {
  assertSize(sum, MAC_SIZE, 'a sum');
  assertSize(term, MAC_SIZE, 'a term of a sum');
}

/** `stateKey` is 32 bytes. */
export function encryptState(stateKey: Uint8Array, sums: Uint8Array, head: StateHead): Buffer<ArrayBuffer> {
  const blob = Buffer.allocUnsafe(OVERHEAD + sums.length);
  blob.set(HEADER, 0);
  const nonce = fillRandom(viewBytes(blob, HEADER_SIZE, BODY_OFFSET));
  encryptBytes(stateKey, nonce, sums, encodeAad(head), viewBytes(blob, BODY_OFFSET, blob.length));
  return blob;
}

/** Writes the sums into `target`, for the caller to zero. Throws IntegrityError unless the state is of this head and key. */
export function decryptState(
  stateKey: Uint8Array,
  blob: Uint8Array,
  head: StateHead,
  target: Uint8Array,
): void {
  if (blob.length !== OVERHEAD + target.length) throw new IntegrityError();
  assertHeader(blob, HEADER);
  const nonce = viewBytes(blob, HEADER_SIZE, BODY_OFFSET);
  decryptBytes(stateKey, nonce, viewBytes(blob, BODY_OFFSET, blob.length), encodeAad(head), target);
}

function encodeAad({ vaultId, epoch, writtenAt }: StateHead): Buffer {
  const place = { kind: 'rows', environment: '', name: '', field: '' } as const;
  const ctx = encodeContext({ vaultId, ...place, version: epoch });
  return Buffer.concat([HEADER, ctx, encodeFields([writtenAt])]);
}

/** The context and the digest under which the KEK wraps the key of the set. */
export function describeSetKey(vaultId: Uint8Array): { readonly ctx: Buffer; readonly digest: Buffer } {
  const place = { kind: 'rows', environment: '', name: 'key', field: '' } as const;
  return {
    ctx: encodeContext({ vaultId, ...place, version: 0 }),
    digest: hash('sha256', encodeFields(['mav.v5.row-set-key']), 'buffer'),
  };
}
