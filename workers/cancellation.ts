/** Ends a long call whose client has gone away meanwhile. */

import { RequestError } from './errors/request-error.ts';
import type { Call } from './messages.ts';

/** Throws RequestError if the call was cancelled. Ask before anything of the call is committed. */
export function checkWanted({ cancel }: Call): void {
  if (cancel !== undefined && Atomics.load(new Int32Array(cancel), 0) !== 0)
    throw new RequestError('busy', 'the request was cancelled; nothing of it was done', {
      reason: 'cancelled',
    });
}
