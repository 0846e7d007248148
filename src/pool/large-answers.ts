/**
 * Which reads have large answers. A reader thread knows it only when it has read them, and then all that waits behind
 * them has waited; so it is remembered here, by where a value lies.
 */
import type { Call } from '../../workers/messages.ts';

/** Bytes; a reader works on such an answer for as long as on a batch of ordinary ones. */
const LARGE = 65_536;
const REMEMBERED = 4_096;

export class LargeAnswers {
  /** The one that was noted longest ago comes first. */
  readonly #known = new Set<string>();

  isKnown(call: Call): boolean {
    return this.#known.size > 0 && this.#known.has(placeOf(call));
  }

  /** What was read there, or written. */
  note(call: Call, size: number): void {
    if (size < LARGE && this.#known.size === 0) return;
    const place = placeOf(call);
    this.#known.delete(place);
    if (size < LARGE) return;
    this.#known.add(place);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.values().next().value ?? '');
  }
}

/** The same for the reading and the writing of a value. No name holds a NUL. */
function placeOf({ params }: Call): string {
  return `${params.name}\0${params.env ?? ''}\0${params.field ?? ''}`;
}
