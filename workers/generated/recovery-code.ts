/**
 * Recovery codes: 32 random bytes as 24 words of the English BIP-39 list, with its checksum. Holds a code as bytes only, in
 * memory that the caller zeroes: the package that the list comes from would make strings of it.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { BodyError } from '../errors/request-error.ts';
import { allocateSecret, type SecretBytes } from '../json/secret-bytes.ts';
import { loadWords, WORD_COUNT } from './passphrase.ts';

const CODE_SIZE = 32;
const WORDS = 24;
const BITS_PER_WORD = 11;
/** BIP-39 §"Generating the mnemonic": the code and the first byte of its SHA-256. */
const CHECKED_SIZE = CODE_SIZE + 1;
/** No two words of the list begin alike in so many letters. */
const PREFIX_LENGTH = 4;
const SPACE = 0x20;
const CASE_BIT = 0x20;

/** Returns a new code as words with a space between them. */
export function generateRecoveryCode(): SecretBytes {
  const code = allocateSecret(CODE_SIZE);
  try {
    return encodeRecoveryCode(randomFillSync(code));
  } finally {
    code.fill(0);
  }
}

export function encodeRecoveryCode(code: Uint8Array): SecretBytes {
  const list = loadWords();
  const checked = addChecksum(code);
  const chosen = Array.from({ length: WORDS }, (_, at) => list[readWord(checked, at)] as Buffer);
  checked.fill(0);
  const words = allocateSecret(chosen.reduce((size, word) => size + word.length + 1, -1));
  let to = 0;
  for (const word of chosen) {
    if (to > 0) words[to++] = SPACE;
    words.set(word, to);
    to += word.length;
  }
  return words;
}

/**
 * Returns the 32 bytes of a code, which the caller zeroes. Case does not count, nor does the space between words; of a word
 * its first four letters are enough. Throws BodyError, which names the place of a word and never the word.
 */
export function decodeRecoveryCode(typed: Uint8Array): SecretBytes {
  const checked = allocateSecret(CHECKED_SIZE);
  const numbers = findNumbers(typed);
  for (const [at, number] of numbers.entries()) writeWord(checked, at, number);
  numbers.fill(0);
  const code = allocateSecret(CODE_SIZE);
  code.set(checked.subarray(0, CODE_SIZE));
  const expected = addChecksum(code);
  const isSound = expected[CODE_SIZE] === checked[CODE_SIZE];
  expected.fill(0);
  checked.fill(0);
  if (isSound) return code;
  code.fill(0);
  throw refuse('its words do not fit together: one is not the right one, or two are in the wrong order');
}

/** Returns the places in the list of the words that were typed. */
function findNumbers(typed: Uint8Array): Uint16Array {
  const words = [...splitWords(typed)];
  if (words.length !== WORDS) throw refuse(`it has ${words.length} words, and a recovery code has ${WORDS}`);
  return Uint16Array.from(words, (word, at) => {
    const number = findWord(word);
    if (number === -1) throw refuse(`word ${at + 1} is not one of the words that codes are made of`);
    return number;
  });
}

/** Yields the words as views of the bytes. */
function* splitWords(typed: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  for (let at = 0; at <= typed.length; at++) {
    const isSpace = at === typed.length || (typed[at] as number) <= SPACE;
    if (isSpace && at > from) yield typed.subarray(from, at);
    if (isSpace) from = at + 1;
  }
}

/** Returns -1 if the list has no such word. */
function findWord(typed: Uint8Array): number {
  return loadWords().findIndex((word) => isMeant(typed, word));
}

function isMeant(typed: Uint8Array, word: Uint8Array): boolean {
  if (typed.length > word.length) return false;
  if (typed.length < word.length && typed.length < PREFIX_LENGTH) return false;
  return typed.every((byte, at) => (byte | CASE_BIT) === word[at]);
}

function addChecksum(code: Uint8Array): SecretBytes {
  const checked = allocateSecret(CHECKED_SIZE);
  checked.set(code);
  const digest = createHash('sha256').update(code).digest();
  checked[CODE_SIZE] = digest[0] as number;
  digest.fill(0);
  return checked;
}

/** The 11 bits of a word begin anywhere in a byte, so they lie in two or three of them. */
function readWord(checked: Uint8Array, at: number): number {
  const bit = at * BITS_PER_WORD;
  const [first, shift] = [bit >> 3, 24 - BITS_PER_WORD - (bit & 7)];
  const bytes = ((checked[first] ?? 0) << 16) | ((checked[first + 1] ?? 0) << 8) | (checked[first + 2] ?? 0);
  return (bytes >> shift) % WORD_COUNT;
}

function writeWord(checked: Uint8Array, at: number, number: number): void {
  const bit = at * BITS_PER_WORD;
  const [first, shift] = [bit >> 3, 24 - BITS_PER_WORD - (bit & 7)];
  const bits = number << shift;
  for (const [offset, part] of [bits >> 16, bits >> 8, bits].entries())
    if (first + offset < checked.length)
      checked[first + offset] = (checked[first + offset] ?? 0) | (part & 0xff);
}

function refuse(problem: string): BodyError {
  return new BodyError(`the recovery code is wrong: ${problem}`, { member: 'recovery_code' });
}
