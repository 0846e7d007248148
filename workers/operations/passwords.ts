/** Generated passwords and passphrases. Holds one, as bytes, until it lies in the reply; then it is zeroed. */
import { randomFillSync } from 'node:crypto';
import type { BodyRequest } from '../bodies/schemas.ts';
import type { BodyHandler } from '../calls.ts';
import { checkEntrySize } from '../entries/entry-size.ts';
import { allocateSecret, type SecretBytes } from '../json/secret-bytes.ts';
import type { Call } from '../messages.ts';
import { RequestError } from '../request-error.ts';
import type { WritableVault } from '../vault.ts';
import { countPasswords, entropyBits } from './entropy.ts';
import { generatePassphrase, WORD_COUNT } from './passphrases.ts';
import { findForWrite, NO_METADATA, storeSecret } from './secrets.ts';

const SETS = {
  uppercase: Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ'),
  lowercase: Buffer.from('abcdefghijklmnopqrstuvwxyz'),
  digits: Buffer.from('0123456789'),
  symbols: Buffer.from('!@#$%^&*()-_=+[]{}|;:,.<>?'),
};

type SetName = keyof typeof SETS;

const SET_NAMES = Object.keys(SETS) as SetName[];

/**
 * A password of `length` bytes of ASCII, uniform among all that have at least one character of each set: one
 * drawn without that condition is thrown away whole until it fulfils it. The caller zeroes it.
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

/** Fills `target` with bytes of the alphabet; a random byte in the uneven rest of the range is drawn again. */
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

interface Drawn {
  readonly password: SecretBytes;
  /** How many passwords could have been drawn, each as likely as the other. */
  readonly outcomes: bigint;
}

function draw(request: BodyRequest<'passwords.generate'>): Drawn {
  if ('words' in request) {
    const { words, delimiter } = request;
    return { password: generatePassphrase(words, delimiter), outcomes: BigInt(WORD_COUNT) ** BigInt(words) };
  }
  const { length } = request;
  const sets = SET_NAMES.filter((name) => request[name]).map((name) => SETS[name]);
  const sizes = sets.map((set) => set.length);
  return { password: generatePassword(length, sets), outcomes: countPasswords(length, sizes) };
}

export const generate: BodyHandler<'passwords.generate'> = (vault, call, reply, request) => {
  const { name, environment, metadata = NO_METADATA } = request;
  const { password, outcomes } = draw(request);
  try {
    if (name !== undefined) store(vault, call, { name, environment }, password, metadata);
    reply.ascii('{"password":');
    reply.secret(password);
    if (name !== undefined) {
      reply.ascii(',"name":');
      reply.string(name);
    }
    reply.ascii(name === undefined ? ',"stored":false' : ',"stored":true');
    reply.ascii(`,"entropy_bits":${entropyBits(outcomes)}}`);
  } finally {
    password.fill(0);
  }
};

function store(
  vault: WritableVault,
  call: Call,
  place: { name: string; environment: string },
  password: SecretBytes,
  metadata: typeof NO_METADATA,
): void {
  const existing = findForWrite(vault, call, place);
  if (existing !== null && !call.mayReplace) {
    throw new RequestError('forbidden', 'this secret exists; replacing it needs the scope write');
  }
  checkEntrySize(vault, storeSecret(vault, place, existing, password, metadata), 'metadata');
}
