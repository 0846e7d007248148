/** Which of some words a mistyped one may have been meant for. */

/** How many letters may be wrong. */
const MAX_DISTANCE = 2;
/** Characters. No word of mav is longer, and a longer text would take long to compare. */
const MAX_LENGTH = 40;

/** Returns the candidate that `typed` is closest to, ignoring case; null if none is close. */
export function findClose(typed: string, candidates: readonly string[]): string | null {
  if (typed.length > MAX_LENGTH) return null;
  let best: { candidate: string; distance: number } | null = null;
  const word = typed.toLowerCase();
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    const distance = other.startsWith(word) && word.length > 3 ? 1 : measureDistance(word, other);
    // Of a short word that many letters are most of it.
    if (distance > Math.min(MAX_DISTANCE, Math.floor(other.length / 3) || 1)) continue;
    // Not one letter would be left of what was typed.
    if (distance > 0 && distance >= word.length) continue;
    if (best === null || distance < best.distance) best = { candidate, distance };
  }
  return best?.candidate ?? null;
}

/** How many letters must be added, removed, replaced or swapped with their neighbour (optimal string alignment). */
function measureDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column++) {
      const [letter, other] = [from[row - 1], to[column - 1]];
      const isSwapped = letter === to[column - 2] && other === from[row - 2];
      const distance = Math.min(
        at(row - 1, column - 1) + (letter === other ? 0 : 1),
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        isSwapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
      rows[row]?.push(distance);
    }
  }
  return at(from.length, to.length);
}
