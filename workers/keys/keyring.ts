/**
 * The KEK generations of an unsealed vault. Holds the KEKs as KeyObjects: their bytes are native memory, which no heap
 * snapshot has, and which is freed when the keyring is collected after the vault was sealed.
 */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { encodeContext } from '../envelope/context.ts';
import { createKek, type RootKey } from '../envelope/keys.ts';
import { digestRow, NO_WRITER } from '../envelope/row-digest.ts';
import { deriveTokenMacKey } from '../envelope/row-mac.ts';
import { KEY_ID_SIZE } from '../envelope/sizes.ts';
import { unwrapKey, wrapKey } from '../envelope/wrap.ts';
import { XaesKey } from '../envelope/xaes.ts';

/** One generation of the key-encryption key. */
export interface KekEntry {
  /** 16 bytes, as in the header of every wrap that this KEK made. */
  readonly id: Uint8Array;
  readonly generation: number;
  readonly key: KeyObject;
  readonly wrapping: XaesKey;
  readonly tokenMacKey: KeyObject;
}

/** A generation as the database keeps it: wrapped under the root key. */
export interface WrappedKek {
  readonly id: Buffer;
  readonly generation: number;
  readonly wrapped: Buffer;
  readonly createdAt: number;
}

/** A keyring on its way to another thread. Cloning a KeyObject does not bring its bytes into a JavaScript heap. */
export interface SharedKeyring {
  readonly vaultId: Uint8Array;
  readonly keks: readonly { readonly id: Uint8Array; readonly generation: number; readonly key: KeyObject }[];
}

export class Keyring {
  readonly vaultId: Uint8Array;
  /** The newest generation: everything new is wrapped under it. */
  readonly current: KekEntry;
  readonly #byId = new Map<string, KekEntry>();

  constructor(shared: SharedKeyring) {
    this.vaultId = shared.vaultId;
    const entries = shared.keks.map((kek) => this.#add(kek));
    const current = entries.toSorted((a, b) => a.generation - b.generation).at(-1);
    if (current === undefined) throw new RangeError('a keyring needs at least one KEK');
    this.current = current;
  }

  #add({ id, generation, key }: SharedKeyring['keks'][number]): KekEntry {
    const entry = {
      id,
      generation,
      key,
      wrapping: new XaesKey(key),
      tokenMacKey: deriveTokenMacKey(key, this.vaultId),
    };
    this.#byId.set(toHex(id), entry);
    return entry;
  }

  /** Returns the generation with this id (16 bytes), or null if the vault has none. */
  find(id: Uint8Array): KekEntry | null {
    // It is nearly always the current one, and comparing bytes is much faster than a look-up by text.
    if (Buffer.compare(id, this.current.id) === 0) return this.current;
    return this.#byId.get(toHex(id)) ?? null;
  }

  /** Wipes the ciphers that hold the KEKs' schedules; nothing can be wrapped or unwrapped with this object again. */
  destroy(): void {
    for (const { wrapping } of this.#byId.values()) wrapping.destroy();
  }

  share(): SharedKeyring {
    const keks = [...this.#byId.values()].map(({ id, generation, key }) => ({ id, generation, key }));
    return { vaultId: this.vaultId, keks };
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Returns the context of a wrapped KEK: the vault, the KEK's own id and its generation. */
function encodeKekContext(vaultId: Uint8Array, id: Uint8Array, generation: number): Buffer {
  return encodeContext({
    vaultId,
    kind: 'kek',
    environment: '',
    name: toHex(id),
    field: '',
    version: generation,
  });
}

/** Runs `use` with a cipher for the root key, and wipes the cipher afterwards. */
function withRootKey<T>(rootKey: RootKey, use: (wrapping: XaesKey) => T): T {
  const wrapping = new XaesKey(createSecretKey(rootKey));
  try {
    return use(wrapping);
  } finally {
    wrapping.destroy();
  }
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
  const ctx = encodeKekContext(vaultId, id, generation);
  const digest = digestKekRow(createdAt);
  const kek = createKek();
  try {
    const wrapped = withRootKey(rootKey, (wrapping) => wrapKey(wrapping, vaultId, kek, ctx, digest));
    return { id, generation, wrapped, createdAt };
  } finally {
    kek.fill(0);
  }
}

function digestKekRow(createdAt: number): Buffer {
  return digestRow({ ...NO_WRITER, metadata: '', createdAt, updatedAt: createdAt });
}

/** Unwraps every generation. Throws IntegrityError if the root key is not this vault's, or a row was changed. */
export function unwrapKeks(
  rootKey: RootKey,
  vaultId: Uint8Array,
  rows: readonly WrappedKek[],
): SharedKeyring['keks'] {
  return withRootKey(rootKey, (wrapping) => rows.map((row) => unwrapKek(wrapping, vaultId, row)));
}

function unwrapKek(
  wrapping: XaesKey,
  vaultId: Uint8Array,
  { id, generation, wrapped, createdAt }: WrappedKek,
): SharedKeyring['keks'][number] {
  const ctx = encodeKekContext(vaultId, id, generation);
  const bytes = unwrapKey(wrapping, wrapped, ctx, digestKekRow(createdAt));
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id, generation, key };
}
