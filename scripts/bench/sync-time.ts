/** Measures how long a sync of the disk takes, because that decides how fast durable writes can be. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './compare.ts';

const SYNCS = 200;
/** What a small transaction appends to the log: two pages and their headers. */
const APPENDED = Buffer.alloc(2 * (4_096 + 24), 1);

/** Returns the median of a few hundred syncs, each after a small write, in milliseconds. */
export function measureSyncMs(folder: string): number {
  const path = join(folder, 'sync-time');
  const descriptor = openSync(path, 'w');
  try {
    const durations = Array.from({ length: SYNCS }, () => {
      writeSync(descriptor, APPENDED);
      const startedAt = performance.now();
      fdatasyncSync(descriptor);
      return performance.now() - startedAt;
    });
    return median(durations);
  } finally {
    closeSync(descriptor);
    rmSync(path);
  }
}
