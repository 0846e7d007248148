/**
 * A program of its own, which `mav copy` leaves behind: it waits, then clears the clipboard if that still holds what was
 * copied. It does not hold the value, only a digest of it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clipboard, clearClipboard, pasteText } from './clipboard.ts';
import { digestValue } from './value-digest.ts';

/** What it reads from its standard input, as JSON. */
export interface ClearingJob {
  readonly clipboard: Clipboard;
  readonly key: string;
  readonly digest: string;
  readonly delayMs: number;
}

/** How often the clock is read: a timer stands still while the machine sleeps. */
const STEP_MS = 1_000;
const STANDARD_INPUT = 0;

async function clearLater({ clipboard, key, digest, delayMs }: ClearingJob): Promise<void> {
  const due = Date.now() + delayMs;
  for (let left = delayMs; left > 0; left = due - Date.now()) await sleep(Math.min(left, STEP_MS));
  const now = await pasteText(clipboard);
  // A clipboard that cannot be read may still hold the value, so it is cleared. One without text holds something else.
  if (now === 'unreadable' || (now !== null && digestValue(key, now) === digest))
    await clearClipboard(clipboard);
}

await clearLater(JSON.parse(readFileSync(STANDARD_INPUT, 'utf8')));
