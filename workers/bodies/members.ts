/**
 * Members that several request bodies have, and how what is wrong with them reads. Secrets it may hold: none; names
 * and metadata are stored in the clear.
 */
import * as z from 'zod';
import { RawMetadata } from '../json/parse.ts';
import { findNameProblem, type NameKind } from './names.ts';

/** An issue's message follows the member's name: `"value" must be…`. */
export const must =
  (rule: string) =>
  (issue: { readonly input?: unknown }): string =>
    issue.input === undefined ? 'is required' : `must be ${rule}`;

/** Adds an issue, unless there is no problem; `path` leads from what is checked to what is wrong. */
export function report(context: z.RefinementCtx, problem: string | null, path: readonly string[] = []): void {
  if (problem !== null) context.addIssue({ code: 'custom', message: problem, path: [...path] });
}

export const metadata = z
  .custom<RawMetadata>((input) => input instanceof RawMetadata, { error: must('an object') })
  .meta({ type: 'object', additionalProperties: true });

export const name = (kind: NameKind) =>
  z
    .string({ error: must('a string') })
    .superRefine((text, context) => report(context, findNameProblem(kind, text)))
    .meta(kind === 'environment' ? {} : { minLength: 1 });
