/** Durations as people write them: `90d`, `1h30m`. */

const MS_PER_UNIT = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
/** Each unit at most once, the largest first. */
const DURATION = /^(?=\d)(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;

/** Returns the milliseconds of a duration such as `90d` or `1h30m`, or null. */
export function readDurationMs(text: string): number | null {
  const amounts = DURATION.exec(text)?.slice(1);
  if (amounts === undefined) return null;
  return Object.values(MS_PER_UNIT).reduce((sum, unit, at) => sum + Number(amounts[at] ?? 0) * unit, 0);
}

/** Returns the duration as readDurationMs reads it, in whole seconds: `1h30m`. */
export function formatDuration(ms: number): string {
  let rest = Math.floor(ms / MS_PER_UNIT.s) * MS_PER_UNIT.s;
  let text = '';
  for (const [unit, size] of Object.entries(MS_PER_UNIT)) {
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * size;
  }
  return text === '' ? '0s' : text;
}
