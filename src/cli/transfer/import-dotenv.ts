/** A dotenv file as entries of an import: each variable is a secret of that name. */

import { type Assignment, describeMentions, parseDotenv } from '../formats/dotenv.ts';
import { SCHEME_ANYWHERE } from '../input/reference.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { KNOWN_SHAPES } from './import-list.ts';
import { checkEmpty, type SourceEntry } from './source-entry.ts';

/** Throws CliError for a line that is not dotenv, a name given twice, or an empty value. */
export function readDotenvEntries(input: Input, path: string, text: string): SourceEntry[] {
  const entries: SourceEntry[] = [];
  const lines = new Map<string, number>();
  const assignments = parseDotenv(path, text, `; ${KNOWN_SHAPES}`);
  for (const { name, value, line } of assignments) {
    const earlier = lines.get(name);
    // A shell would take the last one. Which one is meant is not for an import to guess.
    if (earlier !== undefined)
      throw usageError(`${path}, line ${line}: ${name} is given on line ${earlier} already`);
    lines.set(name, line);
    if (value !== '')
      entries.push({ json: JSON.stringify({ name, environment: input.environment, value }), line });
    else checkEmpty(input, `${path}, line ${line}: ${name}`);
  }
  for (const note of describeText(path, assignments)) input.context.say(note);
  return entries;
}

/** Notes on what looks as if it stood for something else, and is stored as the text that it is. */
function describeText(path: string, assignments: readonly Assignment[]): string[] {
  const references = assignments.filter(({ value }) => SCHEME_ANYWHERE.test(value));
  const places = references.map(({ name, line }) => `${name} (line ${line})`).join(', ');
  const mentions = describeMentions(path, assignments);
  return [
    ...(mentions === null ? [] : [mentions]),
    ...(references.length === 0
      ? []
      : [`Note: an import follows no references; in ${path}, this is stored as text: ${places}`]),
  ];
}
