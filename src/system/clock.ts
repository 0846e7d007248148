/**
 * Returns the milliseconds since some moment, on a clock that is never set back. performance.now() is another such clock, but
 * its first use loads modules for a twentieth of the time that Node takes to start.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}
