/**
 * The keys of segments. Each segment has a random key of its own for its MACs, wrapped under the KEK. An opened key belongs to
 * the keyring with which it was opened, and is zeroed with it.
 */
import { encodeContext } from '../envelope/context.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { withDek } from '../envelope/keys.ts';
import { fillRandom } from '../envelope/random.ts';
import { type BoundSegment, digestSegment } from '../envelope/segment-digest.ts';
import { KEY_SIZE } from '../envelope/sizes.ts';
import { readWrap, unwrapKey } from '../envelope/wrap.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { SegmentRow } from '../store/columns.ts';

/** Returns the wrap of a new key for a segment. */
export function mintSegmentKey(keyring: Keyring, id: number, segment: BoundSegment): Uint8Array {
  const context = encodeSegmentContext(keyring, id);
  return withDek((key) => keyring.wrap(fillRandom(key), context, digestSegment(segment)));
}

/** Returns the key, 32 bytes, which the keyring zeroes at its end. Throws IntegrityError if the row was changed. */
export function openSegmentKey(keyring: Keyring, row: SegmentRow): Uint8Array<ArrayBuffer> {
  const key = keyring.allocate(KEY_SIZE);
  unwrapSegmentKey(keyring, row, key);
  return key;
}

/** Wraps the key again, for the changed row and under the current KEK. Throws IntegrityError. */
export function rewrapSegmentKey(keyring: Keyring, row: SegmentRow, changed: BoundSegment): Uint8Array {
  const context = encodeSegmentContext(keyring, row.id);
  return withDek((key) => {
    unwrapSegmentKey(keyring, row, key);
    return keyring.wrap(key, context, digestSegment(changed));
  });
}

/** Hands out the key for the length of a call, and zeroes it. Throws IntegrityError if the row was changed. */
export function withSegmentKey<T>(keyring: Keyring, row: SegmentRow, use: (key: Uint8Array) => T): T {
  return withDek((key) => {
    unwrapSegmentKey(keyring, row, key);
    return use(key);
  });
}

function unwrapSegmentKey(keyring: Keyring, row: SegmentRow, target: Uint8Array): void {
  const entry = keyring.find(readWrap(row.wrappedKey).keyId);
  if (entry === null) throw new IntegrityError();
  unwrapKey(entry.kek, row.wrappedKey, encodeSegmentContext(keyring, row.id), digestSegment(row), target);
}

function encodeSegmentContext({ vaultId }: Keyring, id: number): Uint8Array {
  return encodeContext({ vaultId, kind: 'audit', environment: '', name: String(id), field: '', version: 0 });
}
