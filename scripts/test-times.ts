/**
 * What each test file costs, for `npm test -- --times`: seconds of the processor, of the file's process and of all processes that
 * it started and waited for, and seconds from start to end. The first hardly depend on what else the machine does.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `times` writes four times as `1m2.345s`: user and system of the shell itself, then of its children. */
const TIMES_SCRIPT = `
  report=$1; shift
  date +%s >"$report"
  "$@"; status=$?
  { date +%s; times; } >>"$report"
  exit $status`;

interface FileTimes {
  readonly file: string;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** Returns a command that runs `command` for a test file, and leaves what it cost in a folder. */
export function withTimes(folder: string, file: string, command: readonly string[]): string[] {
  return ['/bin/sh', '-c', TIMES_SCRIPT, 'sh', join(folder, encodeURIComponent(file)), ...command];
}

/** Returns what the test files cost that left it in a folder, as lines of a table, the most expensive first. */
export function describeTimes(folder: string): string[] {
  const all = readdirSync(folder)
    .map((name) => parseReport(decodeURIComponent(name), readFileSync(join(folder, name), 'utf8')))
    .sort((one, other) => other.cpuSeconds - one.cpuSeconds);
  const total = all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  return ['    CPU s   wall s', ...all.map(describe), `${total.toFixed(1).padStart(9)}          all files`];
}

function parseReport(file: string, report: string): FileTimes {
  const [start, end] = report.split('\n');
  const cpu = [...report.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  return {
    file,
    cpuSeconds: cpu.reduce((sum, one) => sum + one, 0),
    wallSeconds: Number(end) - Number(start),
  };
}

function describe({ file, cpuSeconds, wallSeconds }: FileTimes): string {
  return `${cpuSeconds.toFixed(1).padStart(9)}${String(wallSeconds).padStart(9)}  ${file}`;
}
