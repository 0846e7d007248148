/** Whole numbers among the options. */
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

/** The option's number; undefined where it was not given. Throws CliError unless it is from `min` to `max`. */
export function readWhole({ text }: Input, option: string, min: number, max: number): number | undefined {
  const given = text(option);
  if (given === undefined) return undefined;
  const number = /^[0-9]{1,9}$/.test(given) ? Number(given) : -1;
  if (number < min || number > max)
    throw usageError(`--${option} must be a whole number from ${min} to ${max}`);
  return number;
}

/** More versions than a secret will ever have. */
const MAX_VERSION = 999_999_999;

/** The number of a version; undefined where the option was not given. Throws CliError. */
export function readVersion(input: Input, option: string): number | undefined {
  return readWhole(input, option, 1, MAX_VERSION);
}
