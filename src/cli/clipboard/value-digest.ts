/** A digest by which a value can be recognised without keeping it. Its key is new each time, so it fits no table. */
import { createHmac, randomBytes } from 'node:crypto';

const KEY_SIZE = 32;

export function newDigestKey(): string {
  return randomBytes(KEY_SIZE).toString('hex');
}

/** HMAC-SHA-256, in hexadecimal as the key. */
export function digestValue(key: string, value: Uint8Array): string {
  return createHmac('sha256', Buffer.from(key, 'hex')).update(value).digest('hex');
}
