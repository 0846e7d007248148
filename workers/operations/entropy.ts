/** How hard a generated value is to guess. Holds no secret: this follows from the request, not from what was drawn. */

const HEX_DIGIT_BITS = 4;

/**
 * How many strings of `length` characters have at least one of each set; the sets are disjoint, `sizes` says how large
 * they are. By inclusion and exclusion: all strings, less those that lack one set, plus those that lack two, and so on.
 */
export function countPasswords(length: number, sizes: readonly number[]): bigint {
  let terms = [{ alphabet: 0, sign: 1n }];
  for (const size of sizes) {
    terms = terms.flatMap(({ alphabet, sign }) => [
      { alphabet: alphabet + size, sign },
      { alphabet, sign: -sign },
    ]);
  }
  return terms.reduce((sum, { alphabet, sign }) => sum + sign * BigInt(alphabet) ** BigInt(length), 0n);
}

/**
 * The bits of entropy of one outcome among so many that are equally likely, rounded down to a tenth. Exactly:
 * floor(10 log2 n) is one less than the number of binary digits of n to the 10th.
 */
export function entropyBits(outcomes: bigint): number {
  return (countBits(outcomes ** 10n) - 1) / 10;
}

function countBits(value: bigint): number {
  const digits = value.toString(16);
  const first = Number.parseInt(digits.charAt(0), 16);
  return (digits.length - 1) * HEX_DIGIT_BITS + (32 - Math.clz32(first));
}
