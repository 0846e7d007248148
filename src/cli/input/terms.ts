/** Under which terms a secret is used: its due dates, and when the owner is asked. */
import type { Confirmation, Terms } from '../../client/types.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { readDueDates } from './due-dates.ts';

const CONFIRMATIONS: readonly string[] = ['always', 'session', 'never'] satisfies Confirmation[];

/** Options that belong to a whole secret. */
export const TERM_OPTIONS = ['expires', 'rotate-by', 'confirm'] as const;

/** Returns the terms that are given; the others are absent. Throws CliError. */
export function readTerms(input: Input): Terms {
  const confirm = readConfirm(input);
  return { ...readDueDates(input), ...(confirm === undefined ? {} : { confirm }) };
}

/** Throws CliError if `--confirm` is none of its words. */
export function readConfirm({ text }: Input): Confirmation | undefined {
  const given = text('confirm')?.toLowerCase();
  if (given !== undefined && !CONFIRMATIONS.includes(given))
    throw usageError(`--confirm must be one of ${CONFIRMATIONS.join(', ')}`);
  return given as Confirmation | undefined;
}
