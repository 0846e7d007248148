/** The lifetime of a token as clients write it: "24h", "30d", "1h30m", "24h0m0s". */

/** Weeks, days, hours, minutes, seconds. */
const SECONDS_PER_UNIT = [7 * 86_400, 86_400, 3_600, 60, 1];
/** Each unit at most once, in this order, a number before each. */
const DURATION = /^(?:(N)w)?(?:(N)d)?(?:(N)h)?(?:(N)m)?(?:(N)s)?$/.source.replaceAll('N', '\\d+(?:\\.\\d+)?');
const DURATION_PATTERN = new RegExp(DURATION);
const MAX_TEXT_LENGTH = 64;
const MAX_YEARS = 100;
const MAX_SECONDS = MAX_YEARS * 36_525 * 864;

/** A duration in whole seconds (null for "0", no expiry), or what is wrong with it. */
export type Duration = { readonly seconds: number | null } | { readonly problem: string };

export function parseDuration(text: string): Duration {
  if (text === '0') return { seconds: null };
  const match = text.length <= MAX_TEXT_LENGTH ? DURATION_PATTERN.exec(text) : null;
  if (text === '' || match === null) {
    return { problem: 'must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry' };
  }
  const seconds = sumUnits(match.slice(1));
  if (seconds < 1) return { problem: 'must be at least one second, or "0" for no expiry' };
  if (seconds > MAX_SECONDS) return { problem: `must be at most ${MAX_YEARS} years` };
  return { seconds };
}

/** Rounds to the microsecond before it rounds down: in floating point 1.15 * 60 is a little less than 69. */
function sumUnits(amounts: readonly (string | undefined)[]): number {
  let seconds = 0;
  for (const [i, amount] of amounts.entries()) seconds += Number(amount ?? 0) * (SECONDS_PER_UNIT[i] ?? 0);
  return Math.floor(Math.round(seconds * 1e6) / 1e6);
}
