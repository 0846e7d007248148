/**
 * The one error of the envelope. Holds no secret.
 */

/**
 * Stored bytes did not open. Its message is the same whatever failed (length, magic, tag, commitment, context):
 * a caller, and whoever asks the caller, learns nothing about which check it was. It never carries a cause.
 */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';

  constructor() {
    super('stored data failed its integrity check');
  }
}
