/** Whether this program was started with standard output closed (`>&-`), so that its output would be lost. */

/** The variable by which mav.sh says what it found: its process id, which becomes Node's, and `open` or `closed`. */
export const OUTPUT_VARIABLE = 'MAV_OUTPUT';

/**
 * `env` is this process's own. Only mav.sh can see it: Node opens what is closed as /dev/null for reading and writing,
 * and so do Python, Rust and Node for a child whose output is not wanted. If the program was started as `node bin.js`, the result is false.
 */
export function isOutputClosed(env: NodeJS.ProcessEnv): boolean {
  const [pid, state] = env[OUTPUT_VARIABLE]?.split(' ') ?? [];
  return Number(pid) === process.pid && state === 'closed';
}
