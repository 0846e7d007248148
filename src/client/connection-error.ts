/** The daemon went away, sent an invalid answer, or none (`isSilence`). */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code = 'no_answer';
  readonly isSilence: boolean;

  constructor(message: string, { isSilence = false }: { readonly isSilence?: boolean } = {}) {
    super(message);
    this.isSilence = isSilence;
  }
}
