/** Draws new tokens. The caller zeroes them; the vault keeps only their SHA-256. */
import { randomFillSync } from 'node:crypto';
import { allocateSecret, type SecretBytes } from '../json/secret-bytes.ts';

const PREFIX = Buffer.from('mvt_');
const RANDOM_SIZE = 32;
const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** Returns `mvt_` and 64 hexadecimal digits as bytes, which the caller zeroes. */
export function generateToken(): SecretBytes {
  const random = randomFillSync(allocateSecret(RANDOM_SIZE));
  const token = allocateSecret(PREFIX.length + 2 * RANDOM_SIZE);
  token.set(PREFIX);
  for (const [index, byte] of random.entries()) {
    token[PREFIX.length + 2 * index] = HEX_DIGITS[byte >> 4] ?? 0;
    token[PREFIX.length + 2 * index + 1] = HEX_DIGITS[byte & 0x0f] ?? 0;
  }
  random.fill(0);
  return token;
}
