/** Due dates among the options: how long from now, a time, or `never`. */
import type { DueDates } from '../../client/types.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

const NEVER = 'never';
const MS_PER_UNIT = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
/** Each unit at most once, the largest first. */
const DURATION = /^(?=\d)(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;
/** RFC 3339 section 5.6. Which days a month has is for the vault to say. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
/** The last year that RFC 3339 can write. */
const MAX_YEAR = 9_999;

/** Returns the dates of --expires and --rotate-by; what was not given is absent. Throws CliError. */
export function readDueDates(input: Input): DueDates {
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
  if (TIME.test(text)) return text;
  const amounts = DURATION.exec(text)?.slice(1);
  if (amounts === undefined) return null;
  const ms = Object.values(MS_PER_UNIT).reduce((sum, unit, at) => sum + Number(amounts[at] ?? 0) * unit, 0);
  const time = new Date(Date.now() + ms);
  return time.getUTCFullYear() > MAX_YEAR ? null : formatTime(time.getTime());
}

/** To the second, as the vault keeps it. */
function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
