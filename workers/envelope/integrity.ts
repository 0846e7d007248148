/**
 * The one error of the envelope: stored bytes could not be decrypted. The message is the same whatever failed (length,
 * magic, tag, commitment, context), and there is no cause, so that nobody learns which check it was.
 */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';

  constructor() {
    super('stored data failed its integrity check');
  }
}

/** Returns what `open` returns; null if it throws an IntegrityError. */
export function openIfGenuine<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof IntegrityError) return null;
    throw error;
  }
}
