/**
 * The keys of the set MAC: a random one, wrapped under the KEK, and the keys that are derived from it, one for each table and
 * one for the state. They lie in one piece of the keyring's memory, and are zeroed with it.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import { withDek } from '../envelope/keys.ts';
import { fillRandom } from '../envelope/random.ts';
import { deriveRowKey, deriveStateKey, describeSetKey } from '../envelope/row-set.ts';
import { KEY_SIZE } from '../envelope/sizes.ts';
import { readWrap, unwrapKey, wrapKey } from '../envelope/wrap.ts';
import type { Keyring } from '../keys/keyring.ts';
import { COVERED_TABLES } from '../store/covered-rows.ts';

export interface RowSetKeys {
  readonly stateKey: Uint8Array;
  /** In the order of COVERED_TABLES. */
  readonly rowKeys: readonly Uint8Array[];
  /** Zeroes all keys, and gives their memory back. */
  release(): void;
}

/** Returns the wrap of a new key under the current KEK. */
export function mintSetKey({ vaultId, current }: Keyring): Uint8Array {
  const { ctx, digest } = describeSetKey(vaultId);
  return withDek((key) => wrapKey(current.kek, current.id, fillRandom(key), ctx, digest));
}

/** Returns the same key wrapped under the current KEK; the same wrap if it is that already. Throws IntegrityError. */
export function renewSetKey(keyring: Keyring, wrapped: Uint8Array): Uint8Array {
  const { vaultId, current } = keyring;
  if (Buffer.compare(readWrap(wrapped).keyId, current.id) === 0) return wrapped;
  const { ctx, digest } = describeSetKey(vaultId);
  return withDek((key) => {
    unwrapSetKey(keyring, wrapped, key);
    return wrapKey(current.kek, current.id, key, ctx, digest);
  });
}

/** Throws IntegrityError if the wrap is not of this vault's key. */
export function openRowSetKeys(keyring: Keyring, wrapped: Uint8Array): RowSetKeys {
  const memory = keyring.allocate((COVERED_TABLES.length + 1) * KEY_SIZE);
  const place = (index: number) => memory.subarray(index * KEY_SIZE, (index + 1) * KEY_SIZE);
  const [stateKey, ...rowKeys] = [place(0), ...COVERED_TABLES.map((_, index) => place(index + 1))];
  const release = () => keyring.release(memory);
  try {
    withDek((setKey) => {
      unwrapSetKey(keyring, wrapped, setKey);
      deriveStateKey(setKey, keyring.vaultId, stateKey);
      for (const [index, { table }] of COVERED_TABLES.entries())
        deriveRowKey(setKey, keyring.vaultId, table, place(index + 1));
    });
    return { stateKey, rowKeys, release };
  } catch (error) {
    release();
    throw error;
  }
}

function unwrapSetKey(keyring: Keyring, wrapped: Uint8Array, target: Uint8Array): void {
  const entry = keyring.find(readWrap(wrapped).keyId);
  if (entry === null) throw new IntegrityError();
  const { ctx, digest } = describeSetKey(keyring.vaultId);
  unwrapKey(entry.kek, wrapped, ctx, digest, target);
}
