/** Times as people read them. */

/** An RFC 3339 time as `2026-11-30 14:05` in the machine's time zone; what is not a time stays as it is. */
export function formatTime(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const [month, day, hours, minutes] = [at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes()].map(
    (part) => String(part).padStart(2, '0'),
  );
  return `${at.getFullYear()}-${month}-${day} ${hours}:${minutes}`;
}
