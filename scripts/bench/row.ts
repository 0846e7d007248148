/** A row of the table: what was measured, and whether it meets its target. */
import type { Comparison } from './compare.ts';

export type Target = { readonly atLeast: number } | { readonly atMost: number };

export interface Row {
  readonly what: string;
  /** The measured figures, for people, or why there are none. */
  readonly measured: string;
  /** The figure that the target is about: a ratio, or an absolute figure in `unit`. null: there is none. */
  readonly figure: number | null;
  readonly unit?: string;
  /** Absent if the row is only for information. */
  readonly target?: Target;
  /** Whether measuring failed, which counts as a missed target. */
  readonly failed?: true;
}

export type Result = 'ok' | 'missed' | 'info';

export function judge({ figure, target, failed }: Row): Result {
  if (failed) return 'missed';
  // Some systems cannot measure what a target is about.
  if (target === undefined || figure === null) return 'info';
  const isMet = 'atLeast' in target ? figure >= target.atLeast : figure <= target.atMost;
  return isMet ? 'ok' : 'missed';
}

export interface Described {
  readonly what: string;
  /** Name of the reference, in a word or two. */
  readonly beside: string;
  readonly format: (value: number) => string;
  readonly target?: Target;
}

export function compareRow({ what, beside, format, target }: Described, comparison: Comparison): Row {
  const { subject, reference, ratio } = comparison;
  const measured = `${format(subject)}, ${beside} ${format(reference)}`;
  return { what, measured, figure: ratio, ...(target === undefined ? {} : { target }) };
}

export function perSecond(value: number): string {
  return `${grouped(value)}/s`;
}

export function milliseconds(value: number): string {
  if (value < 1) return `${(value * 1000).toFixed(0)} us`;
  return `${value < 100 ? value.toFixed(1) : grouped(value)} ms`;
}

export function megabytes(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} MB`;
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en');
}
