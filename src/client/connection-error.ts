/** The daemon went away, or what it said is no answer of its. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}
