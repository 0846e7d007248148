/** Vectors of recovery slots. The words of each code are in the header, too. */
import { entropyToMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import {
  type Context,
  context,
  type RecoverySlotInput,
  recoverySlot,
} from '../../test/fixtures/reference.ts';
import { damages, describe, flip, SECRET, seed, type Vector, wrongContexts } from './vector.ts';

const SLOT: Context = {
  ...SECRET,
  kind: 'slot',
  environment: '',
  name: 'recovery',
  field: '0123abcd',
  version: 0,
};

export function recoveryVectors(): Vector[] {
  const rootKey = seed('root key', 32);
  const code = seed('recovery code', 32);
  const make = (name: string, change: Partial<RecoverySlotInput> = {}) =>
    recoverySlot({ code, nonce: seed(`${name} recovery nonce`, 24), rootKey, ctx: context(SLOT), ...change });
  const tell = (bytes: Buffer) => ({ code: bytes, words: entropyToMnemonic(bytes, wordlist) });
  const good = (name: string, comment: string, bytes: Buffer): Vector => ({
    name: `recovery_${name}`,
    comment,
    expect: 'success',
    inputs: { ...tell(bytes), ...describe(SLOT), 'root-key': rootKey },
    blob: make(name, { code: bytes }),
  });
  const bad = (name: string, comment: string, blob: Buffer, c = SLOT, bytes = code): Vector => ({
    name: `recovery_bad-${name}`,
    comment,
    expect: 'integrity',
    inputs: { ...tell(bytes), ...describe(c) },
    blob,
  });
  const blob = make('good');
  return [
    good('good', 'a random code', code),
    good('zeros', 'the code of 32 zeros: 23 times abandon, then art', Buffer.alloc(32)),
    good('ones', 'the code of 256 ones: 23 times zoo, then vote', Buffer.alloc(32, 0xff)),
    ...damages(blob).map(([name, comment, damaged]) => bad(name, comment, damaged)),
    ...wrongContexts(SLOT).map(([name, comment, c]) => bad(`context-${name}`, comment, blob, c)),
    bad('code', 'another code', blob, SLOT, flip(code, 31)),
    bad('commitment-flipped', 'one bit of the commitment is flipped', flip(blob, 6)),
    bad(
      'commitment',
      'authentic, but committed to another key',
      make('commitment', { commitment: seed('c', 32) }),
    ),
    bad('nonce-flipped', 'one bit of the nonce is flipped', flip(blob, 38)),
    bad('wrap-magic', 'authentic, but says it is a wrap', make('wm', { magic: 'MAVK' })),
    bad('suite-one', 'authentic, but of an older suite', make('s1', { suite: 1 })),
    bad('kdf-one', 'authentic, but says that it is under a passphrase', make('k1', { kdf: 1 })),
  ];
}
