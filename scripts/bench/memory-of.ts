/** The memory of a process, as Linux counts it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const KB_PER_MB = 1024;
/** Resets the peak to what the process has now; see proc_pid_clear_refs(5). */
const RESET_PEAK = '5';

export const canReadMemory = existsSync('/proc/self/clear_refs');

export function residentMegabytes(pid: number): number {
  return readStatus(pid, 'VmRSS');
}

/** The peak since `resetPeak`. */
export function peakMegabytes(pid: number): number {
  return readStatus(pid, 'VmHWM');
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
}

function readStatus(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`^${name}:\\s+([0-9]+) kB$`, 'm').exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(kilobytes) / KB_PER_MB;
}
