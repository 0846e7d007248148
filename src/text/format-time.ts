/** Times as people read them. */

/** An RFC 3339 time as `2026-11-30 14:05` in the machine's time zone; what is not a time stays as it is. */
export function formatTime(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const day = `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
  return `${day} ${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;
}

/** As formatTime, to the second: `2026-11-30 14:05:09`. */
export function formatTimeToSecond(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : `${formatTime(time)}:${twoDigits(at.getSeconds())}`;
}

function twoDigits(part: number): string {
  return part < 10 ? `0${part}` : String(part);
}
