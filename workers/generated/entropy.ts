/** How hard a generated value is to guess. This follows from the request, not from what was drawn. */

const HEX_DIGIT_BITS = 4;

/**
 * Counts the strings of `length` characters with at least one character of each set. The sets are disjoint, with `sizes`
 * members. Inclusion and exclusion: all strings, less those that lack one set, plus those that lack two, and so on.
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
 * Returns the bits of entropy of one outcome among `outcomes` equally likely ones, rounded down to a tenth. The result is
 * exact: floor(10 log2 n) is one less than the number of binary digits of n to the 10th.
 */
export function entropyBits(outcomes: bigint): number {
  return (countBits(outcomes ** 10n) - 1) / 10;
}

function countBits(value: bigint): number {
  const digits = value.toString(16);
  const first = Number.parseInt(digits.charAt(0), 16);
  return (digits.length - 1) * HEX_DIGIT_BITS + (32 - Math.clz32(first));
}
