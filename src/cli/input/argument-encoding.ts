/**
 * Node decodes argv as UTF-8 and replaces other bytes by U+FFFD: a secret typed in Latin-1 would silently be stored as
 * something else. Loaded only where a word has that character.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { usageError } from '../run/failure.ts';

/** Throws CliError unless the words were what they look like. Where the system does not show them they are refused. */
export function checkArgumentEncoding(argv: readonly string[]): void {
  const words = readWords();
  const own = words?.slice(words.length - argv.length) ?? [];
  if (words !== null && own.every(isUtf8)) return;
  throw usageError('an argument is not valid UTF-8; give the value with --from-file or on standard input');
}

/** Returns the words of this process as bytes (proc(5)); null if there is no /proc. */
function readWords(): Buffer[] | null {
  try {
    const all = readFileSync('/proc/self/cmdline');
    const words: Buffer[] = [];
    for (let start = 0; start < all.length; ) {
      const end = all.indexOf(0, start);
      words.push(all.subarray(start, end));
      start = end + 1;
    }
    return words;
  } catch {
    return null;
  }
}
