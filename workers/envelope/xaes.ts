/**
 * XAES-256-GCM (c2sp.org/XAES-256-GCM): AES-256-GCM under a key derived from the first half of a 192-bit nonce,
 * so that random nonces never repeat. A derived key lives for one call and is zeroed in it. The key itself lies
 * in OpenSSL's memory (KeyObject, cipher), K1 in this object; `destroy()` wipes both the cipher and K1.
 */

import { Buffer } from 'node:buffer';
import { type Cipheriv, createCipheriv, type KeyObject } from 'node:crypto';
import { decryptGcm, encryptGcm } from './aes-gcm.ts';
import { KEY_SIZE } from './keys.ts';
import { assertSize } from './sizes.ts';

export const XAES_NONCE_SIZE = 24;

const BLOCK_SIZE = 16;
/** Bytes of the nonce that go into the derivation; the others are the nonce of AES-256-GCM. */
const DERIVATION_SIZE = 12;
/** The heads of M1 and M2, one word long: a u16 counter, then "X" and a zero byte. */
const HEAD_1 = 0x00015800;
const HEAD_2 = 0x00025800;
const WORD_SIZE = 4;
/** The low bits of the polynomial that GF(2^128) is reduced by. */
const REDUCTION = 0x87;

export class XaesKey {
  /** AES-256-ECB without padding: AES_K on whole blocks. Kept, because setting it up costs more than using it. */
  readonly #cipher: Cipheriv;
  readonly #k1: Buffer;
  /** M1⊕K1 ‖ M2⊕K1, its two heads filled in once; the rest is overwritten for every nonce. */
  readonly #blocks = Buffer.alloc(2 * BLOCK_SIZE);
  #destroyed = false;

  /** `key` is a secret KeyObject of 32 bytes. */
  constructor(key: KeyObject) {
    if (key.type !== 'secret' || key.symmetricKeySize !== KEY_SIZE) {
      throw new RangeError(`an XAES-256-GCM key must be a secret key of ${KEY_SIZE} bytes`);
    }
    this.#cipher = createCipheriv('aes-256-ecb', key, null);
    this.#cipher.setAutoPadding(false);
    this.#k1 = double(this.#cipher.update(Buffer.alloc(BLOCK_SIZE)));
    const head = this.#k1.readInt32BE(0);
    this.#blocks.writeInt32BE(HEAD_1 ^ head, 0);
    this.#blocks.writeInt32BE(HEAD_2 ^ head, BLOCK_SIZE);
  }

  /** Returns ciphertext ‖ tag. `nonce` is 24 bytes, random and new for every call. */
  encrypt(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Buffer<ArrayBuffer> {
    const derivedKey = this.#deriveKey(nonce);
    try {
      return encryptGcm(derivedKey, nonce.subarray(DERIVATION_SIZE), plaintext, aad);
    } finally {
      derivedKey.fill(0);
    }
  }

  /** Returns the plaintext in memory of its own, which the caller zeroes. Throws IntegrityError. */
  decrypt(nonce: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array): Buffer<ArrayBuffer> {
    const derivedKey = this.#deriveKey(nonce);
    try {
      return decryptGcm(derivedKey, nonce.subarray(DERIVATION_SIZE), ciphertext, aad);
    } finally {
      derivedKey.fill(0);
    }
  }

  /** Ends the cipher, which frees and wipes its key schedule. `encrypt` and `decrypt` throw afterwards. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#cipher.final();
    this.#k1.fill(0);
    this.#blocks.fill(0);
  }

  /** Kx = AES_K(M1⊕K1) ‖ AES_K(M2⊕K1), where M1 and M2 end with the first twelve bytes of the nonce. */
  #deriveKey(nonce: Uint8Array): Buffer {
    assertSize(nonce, XAES_NONCE_SIZE, 'an XAES-256-GCM nonce');
    const view = new DataView(nonce.buffer, nonce.byteOffset, DERIVATION_SIZE);
    for (let i = 0; i < DERIVATION_SIZE; i += WORD_SIZE) {
      const word = view.getInt32(i) ^ this.#k1.readInt32BE(WORD_SIZE + i);
      this.#blocks.writeInt32BE(word, WORD_SIZE + i);
      this.#blocks.writeInt32BE(word, BLOCK_SIZE + WORD_SIZE + i);
    }
    return this.#cipher.update(this.#blocks);
  }
}

/** Doubles a block in GF(2^128), in place and without a branch on it (the subkey of CMAC, NIST SP 800-38B §6.1). */
function double(block: Buffer): Buffer {
  let carry = (block.readInt32BE(0) >> 31) & REDUCTION;
  for (let i = BLOCK_SIZE - WORD_SIZE; i >= 0; i -= WORD_SIZE) {
    const word = block.readInt32BE(i);
    block.writeInt32BE((word << 1) ^ carry, i);
    carry = word >>> 31;
  }
  return block;
}
