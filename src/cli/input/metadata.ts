/** Metadata as it is given on the command line, `K=V`. */
import type { Metadata } from '../../client/types.ts';
import { usageError } from '../run/failure.ts';

/** Values are text, whatever they look like. Throws CliError. */
export function parseMetadata(given: readonly string[]): Metadata {
  const metadata: Record<string, string> = Object.create(null);
  for (const pair of given) {
    const at = pair.indexOf('=');
    if (at < 1) throw usageError('--metadata takes K=V');
    const key = pair.slice(0, at);
    if (key in metadata) throw usageError('--metadata names one key twice');
    metadata[key] = pair.slice(at + 1);
  }
  return metadata;
}
