/** Due dates among the options: how long from now, a time, or `never`. */
import type { Terms } from '../../client/types.ts';
import { readDurationMs } from '../../text/durations.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

const NEVER = 'never';
/** RFC 3339 section 5.6. Which days a month has is for the vault to say. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
/** The last year that RFC 3339 can write. */
const MAX_YEAR = 9_999;

/** Returns the dates of --expires and --rotate-by; what was not given is absent. Throws CliError. */
export function readDueDates(input: Input): Pick<Terms, 'expiresAt' | 'rotateBy'> {
  const [expiresAt, rotateBy] = [readDueDate(input, 'expires'), readDueDate(input, 'rotate-by')];
  return {
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(rotateBy === undefined ? {} : { rotateBy }),
  };
}

function readDueDate(input: Input, option: 'expires' | 'rotate-by'): string | undefined {
  const given = input.text(option);
  if (given === undefined || given.toLowerCase() === NEVER) return given?.toLowerCase();
  const time = readTime(given);
  if (time === null)
    throw usageError(
      `--${option} takes how long from now, such as 90d or 12h, a time, such as 2027-01-31T00:00:00Z (RFC 3339), or never`,
    );
  if (Date.parse(time) < Date.now()) input.context.say(`Note: the time of --${option} is over already.`);
  return time;
}

/** Returns the time until which `--due` lists what is due; undefined without the option. Throws CliError. */
export function readDueBefore({ text }: Input): string | undefined {
  const given = text('due');
  if (given === undefined) return undefined;
  const time = given.toLowerCase() === 'now' ? formatTime(Date.now()) : readTime(given);
  if (time === null)
    throw usageError('--due takes how long from now, such as 14d, or now, or a time (RFC 3339)');
  return time;
}

/** Returns an RFC 3339 time, or null if the text is neither a time nor a duration. */
function readTime(text: string): string | null {
  if (isTime(text)) return text;
  const ms = readDurationMs(text);
  if (ms === null) return null;
  const time = new Date(Date.now() + ms);
  return time.getUTCFullYear() > MAX_YEAR ? null : formatTime(time.getTime());
}

/** Whether the text has the form of an RFC 3339 time. */
export function isTime(text: string): boolean {
  return TIME.test(text);
}

/** To the second, as the vault keeps it. */
function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
