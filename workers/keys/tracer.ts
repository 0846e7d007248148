/**
 * Whether another process traces this one (ptrace(2)): a debugger that was attached before the process closed itself
 * stays attached, and would see the keys. Looked at before each time that the vault is opened.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { SealedError } from '../errors/sealed.ts';

/** Its process id, whichever of our threads it traces; null where there is none, or the system does not say. */
export function findTracer(): number | null {
  if (process.platform !== 'linux') return null;
  for (const thread of readdirSync('/proc/self/task')) {
    const tracer = Number(/^TracerPid:\s*(\d+)/m.exec(readStatus(thread))?.[1] ?? 0);
    if (tracer !== 0) return tracer;
  }
  return null;
}

/** Empty for a thread that has ended meanwhile. */
function readStatus(thread: string): string {
  try {
    return readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** Throws SealedError. */
export function refuseTracer(): void {
  const tracer = findTracer();
  if (tracer !== null)
    throw new SealedError('traced', `process ${tracer} traces this one (a debugger?) and would see its keys`);
}
