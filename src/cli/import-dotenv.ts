/** A dotenv file as entries of an import: each variable is a secret of that name. */
import type { Input } from './command.ts';
import { parseDotenv } from './dotenv.ts';
import { usageError } from './failure.ts';
import { checkEmpty, type SourceEntry } from './source-entry.ts';

/** Throws CliError for a line that is none of dotenv, a name given twice, or an empty value. */
export function readDotenvEntries(input: Input, path: string, text: string): SourceEntry[] {
  const entries: SourceEntry[] = [];
  const lines = new Map<string, number>();
  for (const { name, value, line } of parseDotenv(path, text)) {
    const earlier = lines.get(name);
    // A shell would take the last one. Which one is meant is not for an import to guess.
    if (earlier !== undefined)
      throw usageError(`${path}, line ${line}: ${name} is given on line ${earlier} already`);
    lines.set(name, line);
    if (value !== '')
      entries.push({ json: JSON.stringify({ name, environment: input.environment, value }), line });
    else checkEmpty(input, `${path}, line ${line}: ${name}`);
  }
  return entries;
}
