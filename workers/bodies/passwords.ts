/** The body of a request for a generated password or passphrase. */
import * as z from 'zod';
import { metadataSchema, mustBe, nameSchema, reportProblem, TERM_MEMBERS } from './members.ts';

const MAX_LENGTH = 4096;
const DEFAULT_LENGTH = 32;
const MAX_WORDS = 64;
const MAX_DELIMITER_BYTES = 16;
const DEFAULT_DELIMITER = '-';
const CONTROL_CHARACTER = /\p{Cc}/u;

const SETS = ['uppercase', 'lowercase', 'digits', 'symbols'] as const;

/** The schema of a whole number from 1 to `max`. */
function countSchema(max: number) {
  const error = mustBe(`a whole number from 1 to ${max}`);
  return z.int({ error }).min(1, { error }).max(max, { error });
}

/** The default is shown in the schema and applied later: it depends on the other members that are given. */
const setSchema = z
  .boolean({ error: mustBe('true or false') })
  .meta({ default: true })
  .exactOptional();

const delimiterSchema = z
  .string({ error: mustBe('a string') })
  .superRefine((text, context) => reportProblem(context, findDelimiterProblem(text)))
  .meta({ default: DEFAULT_DELIMITER, description: 'What stands between two words; at most 16 bytes' });

const membersSchema = z.strictObject({
  name: nameSchema('name').exactOptional(),
  environment: nameSchema('environment').default(''),
  length: countSchema(MAX_LENGTH).meta({ default: DEFAULT_LENGTH }).exactOptional(),
  uppercase: setSchema,
  lowercase: setSchema,
  digits: setSchema,
  symbols: setSchema,
  words: countSchema(MAX_WORDS)
    .meta({ description: 'So many words of the English BIP-39 list, instead of single characters' })
    .exactOptional(),
  delimiter: delimiterSchema.exactOptional(),
  metadata: metadataSchema.exactOptional(),
  ...TERM_MEMBERS,
});

type Members = z.output<typeof membersSchema>;

export const passwordSchema = membersSchema.transform((request, context) => {
  const { length, uppercase, lowercase, digits, symbols, words, delimiter, ...rest } = request;
  if (words !== undefined) {
    reportProblem(context, findForeignMember(request));
    return { ...rest, words, delimiter: delimiter ?? DEFAULT_DELIMITER };
  }
  const characters = {
    length: length ?? DEFAULT_LENGTH,
    uppercase: uppercase ?? true,
    lowercase: lowercase ?? true,
    digits: digits ?? true,
    symbols: symbols ?? true,
  };
  reportProblem(
    context,
    delimiter === undefined ? findSetsProblem(characters) : '"delimiter" needs "words" beside it',
  );
  return { ...rest, ...characters };
});

/** Returns the problem of a member that has no meaning beside `words`. */
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
