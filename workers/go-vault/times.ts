/** Times as the Go program stores them: SQLite's CURRENT_TIMESTAMP in UTC, or what Go prints of a time. */

/**
 * `2026-03-01 12:30:45`, RFC 3339, or Go's `2026-03-01 13:30:45.123456789 +0100 CET m=+0.01`, whose zone has a name beside its
 * offset and which may end with a reading of the monotonic clock.
 */
const TIME =
  /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?: ?(?:(Z|UTC)|([+-]\d\d):?(\d\d)))?(?: [A-Za-z]{1,6}| [+-]\d{2,4})?(?: m=[+-][\d.]+)?$/;

/** Returns the time in whole Unix seconds, or null if it is none after 1970. A time without a zone is in UTC. */
export function parseGoTime(stored: unknown): number | null {
  const found = typeof stored === 'string' ? TIME.exec(stored) : null;
  if (found === null) return null;
  const [, day, time, , hours, minutes] = found;
  const zone = hours === undefined ? 'Z' : `${hours}:${minutes}`;
  const seconds = Math.floor(Date.parse(`${day}T${time}${zone}`) / 1000);
  return seconds > 0 ? seconds : null;
}
