/** Generated passwords, as bytes that the caller zeroes. */
import { randomFillSync } from 'node:crypto';
import { allocateSecret, type SecretBytes } from '../json/secret-bytes.ts';
import { countPasswords } from './entropy.ts';
import { generatePassphrase, WORD_COUNT } from './passphrase.ts';

const SETS = {
  uppercase: Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ'),
  lowercase: Buffer.from('abcdefghijklmnopqrstuvwxyz'),
  digits: Buffer.from('0123456789'),
  symbols: Buffer.from('!@#$%^&*()-_=+[]{}|;:,.<>?'),
};

type SetName = keyof typeof SETS;

const SET_NAMES = Object.keys(SETS) as SetName[];

/**
 * Returns `length` bytes of ASCII, uniform among all passwords that have at least one character of each set: whole
 * passwords are drawn again until one fulfils this.
 */
function generatePassword(length: number, sets: readonly Buffer[]): SecretBytes {
  if (sets.length === 0 || length < sets.length)
    throw new RangeError('length must not be below the number of sets');
  const alphabet = Buffer.concat(sets);
  const password = allocateSecret(length);
  do drawUniform(password, alphabet);
  while (!sets.every((set) => password.some((byte) => set.includes(byte))));
  return password;
}

/** Fills `target` with bytes of the alphabet. Random bytes beyond its largest multiple below 256 are dropped as biased. */
function drawUniform(target: SecretBytes, alphabet: Buffer): void {
  const limit = 256 - (256 % alphabet.length);
  const random = allocateSecret(target.length * 2);
  let filled = 0;
  while (filled < target.length) {
    randomFillSync(random);
    for (const byte of random) {
      if (byte >= limit || filled === target.length) continue;
      target[filled++] = alphabet[byte % alphabet.length] ?? 0;
    }
  }
  random.fill(0);
}

/** Either `words`, or `length` and the sets. */
type Wanted =
  | { readonly words: number; readonly delimiter: string }
  | ({ readonly length: number } & Readonly<Record<SetName, boolean>>);

interface Drawn {
  readonly password: SecretBytes;
  /** How many passwords could have been drawn, all equally likely. */
  readonly outcomes: bigint;
}

/** Draws what the request asks for: a passphrase of so many words, or a password of so many characters. */
export function drawPassword(request: Wanted): Drawn {
  if ('words' in request) {
    const { words, delimiter } = request;
    return { password: generatePassphrase(words, delimiter), outcomes: BigInt(WORD_COUNT) ** BigInt(words) };
  }
  const { length } = request;
  const sets = SET_NAMES.filter((name) => request[name]).map((name) => SETS[name]);
  const sizes = sets.map((set) => set.length);
  return { password: generatePassword(length, sets), outcomes: countPasswords(length, sizes) };
}
