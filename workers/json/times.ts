/** Times: whole Unix seconds in the database, RFC 3339 in the API. */

/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the bounds of RFC 3339 section 5.6. A stored row may have any number. */
const FIRST_TIME = -62_167_219_200;
const LAST_TIME = 253_402_300_799;

const DAY_SECONDS = 86_400;
/** `2026-03-13T` by the number of the day. Date takes as long for this as decrypting a small value does. */
const formattedDays = new Map<number, string>();
const MAX_FORMATTED_DAYS = 4_096;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Returns a time in whole Unix seconds as RFC 3339 in UTC. A time outside the four-digit years becomes the nearest inside. */
export function formatTime(unixSeconds: number): string {
  const shown = Math.min(Math.max(unixSeconds, FIRST_TIME), LAST_TIME);
  const day = Math.floor(shown / DAY_SECONDS);
  const second = shown - day * DAY_SECONDS;
  const hours = TWO_DIGITS[Math.floor(second / 3600)];
  const minutes = TWO_DIGITS[Math.floor(second / 60) % 60];
  return `${formatDay(day)}${hours}:${minutes}:${TWO_DIGITS[second % 60]}Z`;
}

function formatDay(day: number): string {
  const known = formattedDays.get(day);
  if (known !== undefined) return known;
  const text = new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 11);
  if (formattedDays.size === MAX_FORMATTED_DAYS) formattedDays.clear();
  formattedDays.set(day, text);
  return text;
}
