/** Whether a call that takes long is still to be carried out: its client may have gone away meanwhile. Holds no secret. */

import { RequestError } from './errors/request-error.ts';
import type { Call } from './messages.ts';

/** Throws RequestError once the call was cancelled; to be asked before anything of it is committed. */
export function checkWanted({ cancel }: Call): void {
  if (cancel !== undefined && Atomics.load(new Int32Array(cancel), 0) !== 0)
    throw new RequestError('busy', 'the request was cancelled; nothing of it was done', {
      reason: 'cancelled',
    });
}
