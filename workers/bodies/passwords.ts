/** The body that asks for a generated password or passphrase. Holds no secret: nothing is drawn yet. */
import * as z from 'zod';
import { metadata, must, name, report } from './members.ts';

const MAX_LENGTH = 4096;
const DEFAULT_LENGTH = 32;
const MAX_WORDS = 64;
const MAX_DELIMITER_BYTES = 16;
const DEFAULT_DELIMITER = '-';
const CONTROL_CHARACTER = /\p{Cc}/u;

const SETS = ['uppercase', 'lowercase', 'digits', 'symbols'] as const;

/** A whole number from 1 to `max`. */
function count(max: number) {
  const error = must(`a whole number from 1 to ${max}`);
  return z.int({ error }).min(1, { error }).max(max, { error });
}

/** The schema says what the default is; which members were given decides what is drawn, so it is applied later. */
const set = z
  .boolean({ error: must('true or false') })
  .meta({ default: true })
  .exactOptional();

const delimiter = z
  .string({ error: must('a string') })
  .superRefine((text, context) => report(context, findDelimiterProblem(text)))
  .meta({ default: DEFAULT_DELIMITER, description: 'What stands between two words; at most 16 bytes' });

const members = z.strictObject({
  name: name('name').exactOptional(),
  environment: name('environment').default(''),
  length: count(MAX_LENGTH).meta({ default: DEFAULT_LENGTH }).exactOptional(),
  uppercase: set,
  lowercase: set,
  digits: set,
  symbols: set,
  words: count(MAX_WORDS)
    .meta({ description: 'So many words of the English BIP-39 list, instead of single characters' })
    .exactOptional(),
  delimiter: delimiter.exactOptional(),
  metadata: metadata.exactOptional(),
});

type Members = z.output<typeof members>;

export const passwordRequest = members.transform((request, context) => {
  const { length, uppercase, lowercase, digits, symbols, words, delimiter: between, ...rest } = request;
  if (words !== undefined) {
    report(context, findForeignMember(request));
    return { ...rest, words, delimiter: between ?? DEFAULT_DELIMITER };
  }
  const characters = {
    length: length ?? DEFAULT_LENGTH,
    uppercase: uppercase ?? true,
    lowercase: lowercase ?? true,
    digits: digits ?? true,
    symbols: symbols ?? true,
  };
  report(
    context,
    between === undefined ? findSetsProblem(characters) : '"delimiter" needs "words" beside it',
  );
  return { ...rest, ...characters };
});

/** What has no meaning for words. */
function findForeignMember(request: Members): string | null {
  const foreign = (['length', ...SETS] as const).find((member) => request[member] !== undefined);
  return foreign === undefined ? null : `"${foreign}" must not stand beside "words"`;
}

function findSetsProblem(
  request: { length: number } & Record<(typeof SETS)[number], boolean>,
): string | null {
  const sets = SETS.filter((member) => request[member]).length;
  if (sets === 0) return 'at least one of "uppercase", "lowercase", "digits" and "symbols" must be true';
  return request.length < sets ? `"length" must be at least ${sets}, one for each character set` : null;
}

function findDelimiterProblem(text: string): string | null {
  if (CONTROL_CHARACTER.test(text)) return 'must not have control characters';
  if (Buffer.byteLength(text) > MAX_DELIMITER_BYTES)
    return `must be at most ${MAX_DELIMITER_BYTES} bytes long`;
  return null;
}
