/** Schemas of members that several request bodies have, and their messages. Names and metadata are plaintext. */
import * as z from 'zod';
import { CONFIRMATIONS } from '../entries/confirm.ts';
import { RawMetadata } from '../json/parse.ts';
import { NEVER, NOT_A_DUE_DATE, NOT_A_TIME, parseDueDate, parseTime } from './due-dates.ts';
import { findNameProblem, type NameKind } from './names.ts';

/** Returns the message of an issue; the name of the member stands before it: `"value" must be…`. */
export const mustBe =
  (rule: string) =>
  (issue: { readonly input?: unknown }): string =>
    issue.input === undefined ? 'is required' : `must be ${rule}`;

/** Adds an issue if there is a problem. `path` leads from the checked value to the wrong member. */
export function reportProblem(
  context: z.RefinementCtx,
  problem: string | null,
  path: readonly string[] = [],
): void {
  if (problem !== null) context.addIssue({ code: 'custom', message: problem, path: [...path] });
}

export const metadataSchema = z
  .custom<RawMetadata>((input) => input instanceof RawMetadata, { error: mustBe('an object') })
  .meta({ type: 'object', additionalProperties: true });

export const nameSchema = (kind: NameKind) =>
  z
    .string({ error: mustBe('a string') })
    .superRefine((text, context) => reportProblem(context, findNameProblem(kind, text)))
    .meta(kind === 'environment' ? {} : { minLength: 1 });

/** A time; `never` is not one. */
export const timeSchema = z
  .string({ error: mustBe('a string') })
  .transform((text, context) => {
    const seconds = parseTime(text);
    if (seconds !== null) return seconds;
    reportProblem(context, NOT_A_TIME);
    return z.NEVER;
  })
  .meta({ format: 'date-time' });

const dueDateSchema = z
  .string({ error: mustBe('a string') })
  .transform((text, context) => {
    const seconds = parseDueDate(text);
    if (seconds !== null) return seconds;
    reportProblem(context, NOT_A_DUE_DATE);
    return z.NEVER;
  })
  .meta({ anyOf: [{ format: 'date-time' }, { const: NEVER }] });

const confirmRule = mustBe(`one of ${CONFIRMATIONS.map((word) => `"${word}"`).join(', ')}`);

/** Whether the owner is asked before a value is read; the number that is stored. */
export const confirmSchema = z
  .enum(CONFIRMATIONS, { error: confirmRule })
  .transform((word) => CONFIRMATIONS.indexOf(word));

/** The members of a body that sets the due dates of a secret. */
export const DUE_DATE_MEMBERS = {
  expires_at: dueDateSchema.exactOptional(),
  rotate_by: dueDateSchema.exactOptional(),
} as const;

/** Under which terms a secret is used. */
export const TERM_MEMBERS = { ...DUE_DATE_MEMBERS, confirm: confirmSchema.exactOptional() } as const;
