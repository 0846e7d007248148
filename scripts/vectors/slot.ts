/** Vectors of passphrase slots. */
import { type Context, context, type SlotInput, slot, u32 } from '../../test/fixtures/reference.ts';
import { damages, describe, flip, patch, SECRET, seed, type Vector, wrongContexts } from './vector.ts';

const SLOT: Context = { ...SECRET, kind: 'slot', environment: '', name: 'passphrase', version: 1 };

export function slotVectors(): Vector[] {
  const passphrase = 'anvil-copper-meadow-seventeen';
  const cost = { memoryKib: 32, passes: 1, parallelism: 1 };
  const rootKey = seed('root key', 32);
  const make = (name: string, change: Partial<SlotInput> = {}) =>
    slot({
      passphrase: Buffer.from(passphrase),
      ...cost,
      salt: seed(`${name} salt`, 16),
      nonce: seed(`${name} slot nonce`, 24),
      rootKey,
      ctx: context(SLOT),
      ...change,
    });
  const good = (name: string, comment: string, words: string, change: Partial<SlotInput> = {}): Vector => ({
    name: `slot_${name}`,
    comment,
    expect: 'success',
    inputs: { passphrase: words, ...describe(SLOT), 'root-key': rootKey },
    blob: make(name, { passphrase: Buffer.from(words), ...change }),
  });
  const bad = (name: string, comment: string, blob: Buffer, c = SLOT, words = passphrase): Vector => ({
    name: `slot_bad-${name}`,
    comment,
    expect: 'integrity',
    inputs: { passphrase: words, ...describe(c) },
    blob,
  });
  const blob = make('cheap');
  const parameter = (value: number, offset: number) => patch(blob, u32(value), offset);
  const commitment = seed('commitment', 32);
  return [
    good('cheap', 'parameters for tests: 32 KiB, one pass, one lane', passphrase),
    good('default', 'the parameters of RFC 9106, second option', passphrase, {
      memoryKib: 65_536,
      passes: 3,
      parallelism: 4,
    }),
    good('lanes', 'four lanes, three passes', passphrase, { memoryKib: 64, passes: 3, parallelism: 4 }),
    good('unicode', 'the UTF-8 bytes of the passphrase count', 'größe 秘密 🔑'),
    ...damages(blob).map(([name, comment, damaged]) => bad(name, comment, damaged)),
    ...wrongContexts(SLOT).map(([name, comment, c]) => bad(`context-${name}`, comment, blob, c)),
    bad('passphrase', 'another passphrase', blob, SLOT, `${passphrase}s`),
    bad('salt-flipped', 'one bit of the salt is flipped', flip(blob, 18)),
    bad('commitment-flipped', 'one bit of the commitment is flipped', flip(blob, 34)),
    bad('commitment', 'authentic, but committed to another key', make('commitment', { commitment })),
    bad('nonce-flipped', 'one bit of the nonce is flipped', flip(blob, 66)),
    bad('wrap-magic', 'authentic, but says it is a wrap', make('wm', { magic: 'MAVK' })),
    bad('suite-one', 'authentic, but of an older suite', make('s1', { suite: 1 })),
    bad('kdf-two', 'authentic, but of another key derivation', make('k2', { kdf: 2 })),
    bad('kdf-zero', 'authentic, but of key derivation 0', make('k0', { kdf: 0 })),
    bad('passes-65', 'authentic, but one pass above the bound', make('p65', { passes: 65 })),
    bad(
      'lanes-17',
      'authentic, but one lane above the bound',
      make('l17', { memoryKib: 136, parallelism: 17 }),
    ),
    bad('memory-above', 'one KiB above 1 GiB', parameter(1024 * 1024 + 1, 6)),
    bad('memory-max', 'memory at the top of its 32 bits', parameter(0xffffffff, 6)),
    bad('memory-below', 'less than 8 KiB for a lane', parameter(7, 6)),
    bad('memory-zero', 'no memory', parameter(0, 6)),
    bad('passes-zero', 'no passes', parameter(0, 10)),
    bad('passes-max', 'passes at the top of their 32 bits', parameter(0xffffffff, 10)),
    bad('lanes-zero', 'no lanes', parameter(0, 14)),
    bad('lanes-more', 'five lanes on the memory of four', parameter(5, 14)),
  ];
}
