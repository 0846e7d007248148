/**
 * Generated passphrases: words of the English BIP-39 list. Holds the random bytes that choose the words until these are
 * written, as bytes, into memory that the caller zeroes. The chosen words never stand in a list.
 */
import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { allocateSecret, type SecretBytes } from '../json/secret-bytes.ts';

/** A power of two, so that two random bytes choose uniformly. */
export const WORD_COUNT = 2048;

const require = createRequire(import.meta.url);
let loaded: readonly Buffer[] | null = null;

/** Loads the words. Synchronous, because a short command calls it inside a transaction, where nothing can be awaited. */
export function loadWords(): readonly Buffer[] {
  if (loaded !== null) return loaded;
  const { wordlist }: { wordlist: readonly string[] } = require('@scure/bip39/wordlists/english.js');
  if (wordlist.length !== WORD_COUNT) throw new RangeError('the list of words has the wrong length');
  loaded = wordlist.map((word) => Buffer.from(word));
  return loaded;
}

/** Returns `count` words, each drawn uniformly from the whole list, with the delimiter between them. */
export function generatePassphrase(count: number, delimiter: string): SecretBytes {
  const words = loadWords();
  const random = allocateSecret(count * 2);
  randomFillSync(random);
  const passphrase = joinWords(words, random, Buffer.from(delimiter));
  random.fill(0);
  return passphrase;
}

/** Every two bytes of `choice` select one word. */
function joinWords(words: readonly Buffer[], choice: Uint8Array, delimiter: Buffer): SecretBytes {
  const count = choice.length / 2;
  const wordAt = (index: number): Buffer => {
    const number = ((choice[index * 2] ?? 0) << 8) | (choice[index * 2 + 1] ?? 0);
    return words[number % WORD_COUNT] as Buffer;
  };
  let size = delimiter.length * (count - 1);
  for (let index = 0; index < count; index++) size += wordAt(index).length;
  const joined = allocateSecret(size);
  let to = 0;
  for (let index = 0; index < count; index++) {
    if (index > 0) {
      joined.set(delimiter, to);
      to += delimiter.length;
    }
    joined.set(wordAt(index), to);
    to += wordAt(index).length;
  }
  return joined;
}
