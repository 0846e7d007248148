/**
 * How this process was started, as the shell script saw it that becomes the program (mav.sh): Node
 * changes all of this. Null where the program was started as `node bin.js`, or the system has no /proc.
 */

export interface Started {
  /** Signals, bit n - 1 for signal n (proc_pid_status(5)). */
  readonly blocked: bigint;
  readonly ignored: bigint;
  /** The soft limit of open files, getrlimit(2); null: there is none. */
  readonly openFiles: bigint | null;
  /** `NAME=value` and a zero byte for each; null where it is not known. */
  readonly environment: Buffer | null;
}

/** The variable by which mav.sh hands it over. */
export const START_VARIABLE = 'MAV_START';
const FORM = /^(\d+) (\d+|unlimited) ([0-9a-f]{16}) ([0-9a-f]{16})(?: ([A-Za-z0-9+/=\s]*))?$/;

/** `env` is this process's own. What another process was started with is not taken for it. */
export function readStarted(env: NodeJS.ProcessEnv): Started | null {
  const [, pid, openFiles = '', blocked, ignored, environment] = FORM.exec(env[START_VARIABLE] ?? '') ?? [];
  if (Number(pid) !== process.pid) return null;
  return {
    blocked: BigInt(`0x${blocked}`),
    ignored: BigInt(`0x${ignored}`),
    openFiles: openFiles === 'unlimited' ? null : BigInt(openFiles),
    environment: environment ? Buffer.from(environment, 'base64') : null,
  };
}

/** Whether a signal is one of such a set. */
export function hasSignal(set: bigint, signal: number): boolean {
  return (set & (1n << BigInt(signal - 1))) !== 0n;
}
