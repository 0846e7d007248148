/** Env files: dotenv, in which a value may be a reference to what is stored, `KEY=mav://ENV/NAME#FIELD`. */
import { isUtf8 } from 'node:buffer';
import { describeMentions, parseDotenv } from '../formats/dotenv.ts';
import { readInputFile } from '../input/input-file.ts';
import { parseReference, SCHEME, SCHEME_ANYWHERE } from '../input/reference.ts';
import type { Reference } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { usageError } from '../run/failure.ts';

export interface EnvLine {
  readonly name: string;
  /** Where it comes from, for messages: file and line. */
  readonly place: string;
  /** A value of the file's own, or where it is stored. */
  readonly value: string | Reference;
}

/** The file's variables; the last of several with one name counts. Throws CliError, which holds nothing of the content. */
export function readEnvFile({ say }: Context, path: string): EnvLine[] {
  const bytes = readInputFile(path);
  if (!isUtf8(bytes)) throw usageError(`${path} is not UTF-8`);
  const assignments = parseDotenv(path, bytes.toString());
  const byName = new Map<string, EnvLine>();
  for (const { name, value, line } of assignments) {
    const place = `${path}, line ${line}`;
    byName.set(name, { name, place, value: readValue(value, place) });
  }
  const note = describeMentions(path, assignments);
  if (note !== null) say(note);
  return [...byName.values()];
}

function readValue(text: string, place: string): string | Reference {
  if (text.startsWith(SCHEME)) return readReference(text, place);
  if (SCHEME_ANYWHERE.test(text))
    throw usageError(
      `${place}: a reference must be the whole value, and here it is a part of one; store the longer text as a secret of its own, or put it together by mav inject`,
    );
  return text;
}

function readReference(text: string, place: string): Reference {
  const reference = parseReference(text);
  if (reference === null)
    throw usageError(
      `${place}: not a reference; write mav://ENV/NAME or mav://ENV/NAME#FIELD, with an empty ENV for the default environment`,
    );
  return reference;
}
