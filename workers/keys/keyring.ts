/**
 * The KEK generations of an unsealed vault. Holds the KEKs, and the MAC keys that are derived from them, in one piece of
 * secret memory (envelope/secret-memory.ts). `destroy` zeroes it and gives it back at once.
 */
import { randomBytes } from 'node:crypto';
import { encodeContext } from '../envelope/context.ts';
import { asKek, type Kek, type RootKey } from '../envelope/keys.ts';
import { fillRandom } from '../envelope/random.ts';
import { digestRow, NO_WRITER } from '../envelope/row-digest.ts';
import { deriveTokenMacKey } from '../envelope/row-mac.ts';
import { allocateSecretMemory, freeSecretMemory, withSecretMemory } from '../envelope/secret-memory.ts';
import { KEY_ID_SIZE, KEY_SIZE } from '../envelope/sizes.ts';
import { unwrapKey, wrapKey } from '../envelope/wrap.ts';

/** The part of a generation that is not secret. */
export interface KekHead {
  /** 16 bytes, as in the header of every wrap that this KEK made. */
  readonly id: Uint8Array;
  readonly generation: number;
}

/** One generation of the key-encryption key. Both keys are views of the keyring's memory, and empty once that is destroyed. */
export interface KekEntry extends KekHead {
  readonly kek: Kek;
  readonly tokenMacKey: Uint8Array;
}

/** A generation as the database keeps it: wrapped under the root key. */
export interface WrappedKek extends KekHead {
  readonly id: Buffer;
  readonly wrapped: Buffer;
  readonly createdAt: number;
}

export class Keyring {
  readonly vaultId: Uint8Array;
  /** For each generation its KEK and its MAC key. */
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #entries: readonly KekEntry[];
  readonly #byId: ReadonlyMap<string, KekEntry>;
  readonly #current: KekEntry;
  /** Memory of keys that are wrapped under these KEKs. */
  readonly #pieces = new Set<Uint8Array<ArrayBuffer>>();
  #isDestroyed = false;
  #wrapCount = 0;

  /**
   * `fillKek` writes the KEK of a generation into 32 bytes of the keyring's memory. What it throws is thrown on. `current` is the
   * generation under which everything new is wrapped; absent: the newest.
   */
  constructor(
    vaultId: Uint8Array,
    heads: readonly KekHead[],
    fillKek: (kek: Uint8Array<ArrayBuffer>, index: number) => void,
    current?: number,
  ) {
    this.vaultId = vaultId;
    this.#memory = allocateSecretMemory(2 * KEY_SIZE * heads.length);
    try {
      this.#entries = heads.map((head, index) => this.#makeEntry(head, index, fillKek));
      this.#byId = new Map(this.#entries.map((entry) => [toHex(entry.id), entry]));
      this.#current = findCurrent(this.#entries, current);
    } catch (error) {
      freeSecretMemory(this.#memory);
      throw error;
    }
  }

  #makeEntry(
    { id, generation }: KekHead,
    index: number,
    fillKek: (kek: Uint8Array<ArrayBuffer>, index: number) => void,
  ): KekEntry {
    const offset = 2 * KEY_SIZE * index;
    const kek = asKek(this.#memory.subarray(offset, offset + KEY_SIZE));
    const tokenMacKey = this.#memory.subarray(offset + KEY_SIZE, offset + 2 * KEY_SIZE);
    fillKek(kek, index);
    // No random key is that: memory was zeroed too early somewhere, and everything would be encrypted under a known key.
    if (kek.every((byte) => byte === 0)) throw new RangeError('a KEK must not be all zeros');
    deriveTokenMacKey(kek, this.vaultId, tokenMacKey);
    return { id, generation, kek, tokenMacKey };
  }

  /** The generation under which everything new is wrapped. Throws RangeError once the keyring is destroyed. */
  get current(): KekEntry {
    this.#assertUsable();
    return this.#current;
  }

  /** Every generation. Throws RangeError once the keyring is destroyed. */
  get entries(): readonly KekEntry[] {
    this.#assertUsable();
    return this.#entries;
  }

  /** Returns the generation with this id (16 bytes), or null if the vault has none. Throws RangeError once destroyed. */
  find(id: Uint8Array): KekEntry | null {
    this.#assertUsable();
    // It is nearly always the current one, and comparing bytes is much faster than a look-up by text.
    if (Buffer.compare(id, this.#current.id) === 0) return this.#current;
    return this.#byId.get(toHex(id)) ?? null;
  }

  /** A keyring of some of these generations, in memory of its own; this one stays as it is. The newest of them is current. */
  pick(isPicked: (head: KekHead) => boolean): Keyring {
    const picked = this.entries.filter(isPicked);
    return new Keyring(this.vaultId, picked, (kek, index) => kek.set((picked[index] as KekEntry).kek));
  }

  /** Returns the wrap of a key (32 bytes) under the current KEK. `ctx` and `rowDigest` as for `wrapKey`. */
  wrap(key: Uint8Array, ctx: Uint8Array, rowDigest: Uint8Array): Buffer<ArrayBuffer> {
    const { id, kek } = this.current;
    this.#wrapCount += 1;
    return wrapKey(kek, id, key, ctx, rowDigest);
  }

  /** How many keys this keyring has wrapped. */
  get wrapCount(): number {
    return this.#wrapCount;
  }

  /** Returns secret memory for a key that is good for as long as this keyring: `destroy` zeroes it. */
  allocate(size: number): Uint8Array<ArrayBuffer> {
    this.#assertUsable();
    const piece = allocateSecretMemory(size);
    this.#pieces.add(piece);
    return piece;
  }

  /** Zeroes memory that `allocate` returned, and gives it back. */
  release(piece: Uint8Array<ArrayBuffer>): void {
    this.#pieces.delete(piece);
    freeSecretMemory(piece);
  }

  /** Zeroes all keys and gives their memory back. */
  destroy(): void {
    this.#isDestroyed = true;
    freeSecretMemory(this.#memory);
    for (const piece of this.#pieces) freeSecretMemory(piece);
    this.#pieces.clear();
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  #assertUsable(): void {
    if (this.#isDestroyed) throw new RangeError('the keyring was destroyed');
  }
}

function findCurrent(entries: readonly KekEntry[], current?: number): KekEntry {
  const found =
    current === undefined
      ? entries.toSorted((a, b) => a.generation - b.generation).at(-1)
      : entries.find(({ generation }) => generation === current);
  if (found === undefined) throw new RangeError('a keyring needs the KEK that is current');
  return found;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Returns the context of a wrapped KEK: the vault, the KEK's own id and its generation. */
function encodeKekContext(vaultId: Uint8Array, { id, generation }: KekHead): Buffer {
  return encodeContext({
    vaultId,
    kind: 'kek',
    environment: '',
    name: toHex(id),
    field: '',
    version: generation,
  });
}

function digestKekRow(createdAt: number): Buffer {
  return digestRow({ ...NO_WRITER, createdAt, updatedAt: createdAt });
}

/**
 * Returns a new random KEK, wrapped under the root key. The KEK itself is zeroed. The root key has no id, so the header of
 * the wrap has the vault's.
 */
export function mintKek(
  rootKey: RootKey,
  vaultId: Uint8Array,
  generation: number,
  createdAt: number,
): WrappedKek {
  const id = randomBytes(KEY_ID_SIZE);
  const ctx = encodeKekContext(vaultId, { id, generation });
  const digest = digestKekRow(createdAt);
  const wrapped = withSecretMemory(KEY_SIZE, (kek) =>
    wrapKey(rootKey, vaultId, fillRandom(kek), ctx, digest),
  );
  return { id, generation, wrapped, createdAt };
}

/** Returns the wrap of a generation under another root key. Both belong to the caller. Throws IntegrityError. */
export function rewrapKek(from: RootKey, to: RootKey, vaultId: Uint8Array, row: WrappedKek): Buffer {
  const ctx = encodeKekContext(vaultId, row);
  const digest = digestKekRow(row.createdAt);
  return withSecretMemory(KEY_SIZE, (kek) => {
    unwrapKey(from, row.wrapped, ctx, digest, kek);
    return wrapKey(to, vaultId, kek, ctx, digest);
  });
}

/**
 * Unwraps every generation. `current` as for Keyring. Throws IntegrityError if the root key is not this vault's, or a row was
 * changed. The caller destroys the keyring, and zeroes the root key.
 */
export function unwrapKeyring(
  rootKey: RootKey,
  vaultId: Uint8Array,
  wrappedKeks: readonly WrappedKek[],
  current?: number,
): Keyring {
  const fillKek = (kek: Uint8Array<ArrayBuffer>, index: number) => {
    const row = wrappedKeks[index] as WrappedKek;
    unwrapKey(rootKey, row.wrapped, encodeKekContext(vaultId, row), digestKekRow(row.createdAt), kek);
  };
  return new Keyring(vaultId, wrappedKeks, fillKek, current);
}
