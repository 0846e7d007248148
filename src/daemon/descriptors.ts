/** How many files and connections this process may have open at once, getrlimit(2), and how many of them clients get. */
import { readSoftLimit } from '../system/process-limits.ts';

/** More clients than a vault has. Each takes some 40 KiB, with its parser and its last request. */
const MAX_CONNECTIONS = 2_048;
/** Three times what the database, the threads, the log and the start of a child process need. */
const OWN_DESCRIPTORS = 128;
const MIN_CONNECTIONS = 16;
/** Used where the limit is not known: the least that systems give a process, after Node has raised it as far as it may. */
const USUAL_LIMIT = 1_024;

/** Returns how many connections there may be, so that descriptors are left for everything else. */
export function chooseConnectionCap(limit = findDescriptorLimit() ?? USUAL_LIMIT): number {
  return Math.max(MIN_CONNECTIONS, Math.min(MAX_CONNECTIONS, limit - OWN_DESCRIPTORS));
}

/** Returns the soft limit; null where the system does not say. */
export function findDescriptorLimit(): number | null {
  const soft = readSoftLimit('self', 'Max open files');
  if (soft === null) return null;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
