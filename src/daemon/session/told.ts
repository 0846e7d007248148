/** The lines between the daemon and session-process.ts. */
import type { SealingEvent } from './session-events.ts';

/** What can be unheard: logind's signals, the screen saver's, and whether logind waits for the sealing. */
export type Source = 'logind' | 'screen saver' | 'delay';

/** A line to the daemon, as JSON. */
export type Told =
  | { readonly heard: SealingEvent | 'unlock' }
  /** All that is not heard now, and why. The first such line comes when everything is heard that can be. */
  | { readonly unheard: readonly (readonly [Source, string])[] };

/** The daemon's answer to `suspend`: no thread has the keys. */
export const SEALED = 'sealed';
