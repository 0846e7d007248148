/** Where a page of a list ends. Holds no secret. */
import type { PageBounds } from '../messages.ts';

/** A page of more rows than the bounds say is still no more than so many times their bytes. */
const MAX_STRETCH = 16;

/** Asked before each row but the first: whether the page, of so many rows and bytes by now, is long enough. */
export type IsFull = (rows: number, bytes: number) => boolean;

export function endAfter(limit: number | undefined): IsFull {
  return (rows) => rows === limit;
}

/**
 * Ends at the bounds, unless the first row was long in coming: where matches are sorted before there is one, every page
 * has to sort them. Such a page goes on for as long again, so that all pages together take twice the time of the whole
 * list, not its square.
 */
export function endWithin(bounds: PageBounds): IsFull {
  const startedAt = cpuMs();
  let firstAt = 0;
  return (rows, bytes) => {
    if (rows === 1) firstAt = cpuMs();
    if (rows < bounds.rows && bytes < bounds.bytes) return false;
    const isPaidFor = cpuMs() - firstAt >= firstAt - startedAt;
    return isPaidFor || bytes >= bounds.bytes * MAX_STRETCH;
  };
}

/** Of this thread: what the machine did meanwhile must not make a page longer. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
