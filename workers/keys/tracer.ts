/**
 * Finds a process that traces this one (ptrace(2)). A debugger that was attached before this process forbade it stays
 * attached and would see the keys, so the vault asks before each unsealing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { SealedError } from '../errors/sealed.ts';

/** Returns the id of a process that traces any thread of this one; null if there is none, or if the system does not say. */
export function findTracer(): number | null {
  if (process.platform !== 'linux') return null;
  for (const thread of readdirSync('/proc/self/task')) {
    const tracer = Number(/^TracerPid:\s*(\d+)/m.exec(readStatus(thread))?.[1] ?? 0);
    if (tracer !== 0) return tracer;
  }
  return null;
}

/** Returns an empty text for a thread that has ended meanwhile. */
function readStatus(thread: string): string {
  try {
    return readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** Throws SealedError if a process traces this one. */
export function refuseTracer(): void {
  const tracer = findTracer();
  if (tracer !== null)
    throw new SealedError('traced', `process ${tracer} traces this one (a debugger?) and would see its keys`);
}
