/** The limits of a process, getrlimit(2), as Linux shows them (proc_pid_limits(5)). */
import { readFileSync } from 'node:fs';

/** Returns the soft limit of that name (`Max open files`), a number or `unlimited`; null if the system does not say. */
export function readSoftLimit(pid: number | 'self', name: string): string | null {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    return new RegExp(`^${name} +(\\S+)`, 'm').exec(limits)?.[1] ?? null;
  } catch {
    return null;
  }
}
