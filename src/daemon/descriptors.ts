/** How many files and connections this process may have open at once, getrlimit(2), and how many of them clients get. */
import { readSoftLimit } from '../system/process-limits.ts';

/** More clients than a vault has. Each takes some 40 KiB, with its parser and its last request. */
const MAX_CONNECTIONS = 2_048;
/** For the database, the threads, the log and what a child process is started with: three times what they need. */
const OWN_DESCRIPTORS = 128;
const MIN_CONNECTIONS = 16;
/** Where the limit is not known: what systems give a process at least, after Node has raised it as far as it may. */
const USUAL_LIMIT = 1_024;

/** How many connections leave descriptors for everything else: a process that has none left can serve nobody. */
export function chooseConnectionCap(limit = findDescriptorLimit() ?? USUAL_LIMIT): number {
  return Math.max(MIN_CONNECTIONS, Math.min(MAX_CONNECTIONS, limit - OWN_DESCRIPTORS));
}

/** The soft limit; null where the system does not say. */
export function findDescriptorLimit(): number | null {
  const soft = readSoftLimit('self', 'Max open files');
  if (soft === null) return null;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
