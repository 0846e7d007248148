/**
 * The chain of a segment: each batch of lines ends with a closing line that has the MAC of the batch and of the MAC before it.
 * So no line can be changed, added, removed or moved without the key. The first batch is the head, without a MAC before it.
 */
import { Buffer } from 'node:buffer';
import { MAC_SIZE } from '../envelope/sizes.ts';
import { writeMac } from '../envelope/sodium.ts';
import { BatchMacs, isMac } from './batch-macs.ts';
import { splitBatches } from './batches.ts';
import { CLOSING_SIZE, findMac, formatClosingLine } from './lines.ts';
import { readPart } from './segment-files.ts';

/** Before a segment has a batch. */
export const NO_MAC = new Uint8Array(0);

/** A batch as it is written. */
export interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mac: Uint8Array;
}

/**
 * Returns lines, each with its newline, as a batch that follows the one with the MAC `previous`. `key` is 32 bytes. The
 * MAC is that of BatchMacs, made of the very bytes that are written.
 */
export function closeBatch(key: Uint8Array, previous: Uint8Array, lines: string): Block {
  const size = Buffer.byteLength(lines);
  const room = Buffer.allocUnsafe(previous.length + size + CLOSING_SIZE);
  room.set(previous);
  const end = previous.length + room.write(lines, previous.length);
  const mac = Buffer.alloc(MAC_SIZE);
  writeMac(key, room.subarray(0, end), mac);
  room.write(formatClosingLine(mac), end, 'latin1');
  return { bytes: room.subarray(previous.length), mac };
}

/** What is sound at the beginning of some bytes. */
export interface SoundPart {
  readonly bytes: number;
  readonly mac: Uint8Array;
  /** Lines that are not closing lines. */
  readonly lines: number;
  /** Whether a whole batch follows that does not continue the chain: somebody without the key wrote it, or cut out another. */
  readonly isBroken: boolean;
}

/** Follows the chain through bytes that begin with a batch, as far as it goes. What follows may be a batch that was cut off. */
export function followChain(key: Uint8Array, previous: Uint8Array, bytes: Buffer): SoundPart {
  const macs = new BatchMacs(key);
  let sound: SoundPart = { bytes: 0, mac: previous, lines: 0, isBroken: false };
  for (const batch of splitBatches(bytes)) {
    const mac = macs.compute(sound.mac, bytes.subarray(batch.start, batch.linesEnd));
    if (!isMac(batch.mac, mac)) return { ...sound, isBroken: true };
    sound = { bytes: batch.end, mac, lines: sound.lines + batch.sequences.length, isBroken: false };
  }
  return sound;
}

/** Returns the MAC, in base64url, of the closing line that ends at `end`; an empty text if there is none. */
export function readLastMac(descriptor: number, end: number): string {
  return end < CLOSING_SIZE ? '' : readBlockMac(readPart(descriptor, end - CLOSING_SIZE, end));
}

/** As readLastMac, of bytes that end with a closing line. */
export function readBlockMac(bytes: Buffer): string {
  return findMac(bytes, Math.max(0, bytes.length - CLOSING_SIZE), bytes.length - 1) ?? '';
}
