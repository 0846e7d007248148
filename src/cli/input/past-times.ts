/** Times in the past among the options: how long ago, a day, or a time. */
import { readDurationMs } from '../../text/durations.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { isTime } from './due-dates.ts';

const DAY = /^\d{4}-\d\d-\d\d$/;
const DAY_MS = 86_400_000;

/** Returns an RFC 3339 time; undefined without the option. `until` with a day means its end. Throws CliError. */
export function readPastTime({ text }: Input, option: 'since' | 'until'): string | undefined {
  const given = text(option);
  if (given === undefined) return undefined;
  const time = readTime(given, option === 'until');
  if (time !== null) return time;
  throw usageError(
    `--${option} takes how long ago, such as 24h or 30d, a day, such as 2026-11-30, or a time, such as 2026-11-30T08:00:00Z (RFC 3339)`,
  );
}

function readTime(given: string, isEnd: boolean): string | null {
  if (isTime(given)) return given;
  if (DAY.test(given)) return readDay(given, isEnd);
  const ago = readDurationMs(given);
  return ago === null ? null : new Date(Math.max(0, Date.now() - ago)).toISOString();
}

/** A day of this machine's time zone. */
function readDay(given: string, isEnd: boolean): string | null {
  const start = new Date(`${given}T00:00:00`);
  // February 30 is March 2 for Date, or no time at all.
  if (Number.isNaN(start.getTime()) || start.getDate() !== Number(given.slice(8))) return null;
  if (!isEnd) return start.toISOString();
  const next = new Date(start.getTime() + DAY_MS);
  next.setHours(0, 0, 0, 0);
  return new Date(next.getTime() - 1).toISOString();
}
