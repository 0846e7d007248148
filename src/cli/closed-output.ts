/** Whether standard output was closed by whoever started this program (`>&-`): what is printed then is lost. */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';

const STANDARD_OUTPUT = 1;
const NULL_DEVICE = '/dev/null';
/** Access mode of open(2), as /proc/PID/fdinfo has it: octal. */
const ACCESS_MODE = 0o3;
const READ_AND_WRITE = 0o2;

/** The variable by which front.sh says what it found: its process id, which becomes Node's, and `open` or `closed`. */
export const OUTPUT_VARIABLE = 'MAV_OUTPUT';

/** `env` is this process's own. */
export function isOutputClosed(env: NodeJS.ProcessEnv): boolean {
  const [pid, state] = env[OUTPUT_VARIABLE]?.split(' ') ?? [];
  return Number(pid) === process.pid ? state === 'closed' : isOpenedByNode();
}

/**
 * For a program that was started as `node bin.js`. Node opens what is closed as /dev/null before it runs anything, for
 * reading and writing; a shell's `>/dev/null` is for writing only, and what a parent has itself was meant. A program that
 * gives its children a /dev/null of the first kind cannot be told apart. Without /proc the answer is no.
 */
function isOpenedByNode(): boolean {
  try {
    if (!fstatSync(STANDARD_OUTPUT).isCharacterDevice()) return false;
    if (readlinkSync(`/proc/self/fd/${STANDARD_OUTPUT}`) !== NULL_DEVICE) return false;
    const [, flags = ''] =
      /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${STANDARD_OUTPUT}`, 'latin1')) ?? [];
    if ((Number.parseInt(flags, 8) & ACCESS_MODE) !== READ_AND_WRITE) return false;
    return !isNullAtParent();
  } catch {
    return false;
  }
}

/** Whether it is inherited. A shell may have its own closed while it starts a program. */
function isNullAtParent(): boolean {
  try {
    return readlinkSync(`/proc/${process.ppid}/fd/${STANDARD_OUTPUT}`) === NULL_DEVICE;
  } catch (error) {
    // What may not be looked into may be anything.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
