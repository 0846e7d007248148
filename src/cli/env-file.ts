/** Env files: dotenv, in which a value may be a reference to what is stored, `KEY=mav://ENV/NAME#FIELD`. */
import { isUtf8 } from 'node:buffer';
import { parseDotenv } from './dotenv.ts';
import { usageError } from './failure.ts';
import { readInputFile } from './input-file.ts';
import { parseReference, type Reference, SCHEME } from './reference.ts';

export interface EnvLine {
  readonly name: string;
  /** Where it comes from, for messages: file and line. */
  readonly place: string;
  /** A value of the file's own, or where it is stored. */
  readonly value: string | Reference;
}

/** The file's variables; the last of several with one name counts. Throws CliError, which holds nothing of the content. */
export function readEnvFile(path: string): EnvLine[] {
  const bytes = readInputFile(path);
  if (!isUtf8(bytes)) throw usageError(`${path} is not UTF-8`);
  const byName = new Map<string, EnvLine>();
  for (const { name, value, line } of parseDotenv(path, bytes.toString())) {
    const place = `${path}, line ${line}`;
    byName.set(name, { name, place, value: value.startsWith(SCHEME) ? readReference(value, place) : value });
  }
  return [...byName.values()];
}

function readReference(text: string, place: string): Reference {
  const reference = parseReference(text);
  if (reference === null)
    throw usageError(
      `${place}: not a reference; write mav://ENV/NAME or mav://ENV/NAME#FIELD, with an empty ENV for the default environment`,
    );
  return reference;
}
