/** How long one entry of an environment may be, `NAME=value`: a program with a longer one does not start (E2BIG). */
import { readFileSync } from 'node:fs';

/** linux/binfmts.h: MAX_ARG_STRLEN is so many pages, the zero byte at the end counted. */
const LINUX_PAGES = 32;
const USUAL_PAGE = 4_096;
/** macOS has no limit for one, but this for all of them together (ARG_MAX). */
const DARWIN_SIZE = 1_048_576;
/** getauxval(3). */
const AT_PAGESZ = 6n;

/** In bytes, without the zero byte at its end. */
export function findMaxEntrySize(): number {
  if (process.platform !== 'linux') return DARWIN_SIZE - 1;
  return LINUX_PAGES * (findPageSize() ?? USUAL_PAGE) - 1;
}

/** null where the system does not say. */
function findPageSize(): number | null {
  try {
    const vector = readFileSync('/proc/self/auxv');
    // Pairs of a kind and a value, each a machine word of 64 bits.
    for (let at = 0; at + 16 <= vector.length; at += 16)
      if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8));
    return null;
  } catch {
    return null;
  }
}
