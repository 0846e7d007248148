/**
 * Remembers which reads have large results, by the place of the value. A reader thread learns the size only by reading, and
 * by then all calls behind this one have waited for it.
 */
import type { Call } from '../../workers/messages.ts';

/** Bytes. A reader works on a result of this size for as long as on a batch of ordinary ones. */
const LARGE = 65_536;
/** Places. */
const REMEMBERED = 4_096;

export class LargeResults {
  /** The place that was noted longest ago comes first. */
  readonly #known = new Set<string>();

  isKnown(call: Call): boolean {
    return this.#known.size > 0 && this.#known.has(placeOf(call));
  }

  /** `size` in bytes, of the value that was read at the call's place or is to be written there. */
  note(call: Call, size: number): void {
    if ((size < LARGE && this.#known.size === 0) || call.params.name === undefined) return;
    const place = placeOf(call);
    this.#known.delete(place);
    if (size < LARGE) return;
    this.#known.add(place);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.values().next().value ?? '');
  }
}

/** Returns the same text for reading and for writing a value. No name holds a NUL. */
function placeOf({ params }: Call): string {
  return `${params.name}\0${params.env ?? ''}\0${params.field ?? ''}`;
}
