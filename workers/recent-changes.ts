/**
 * The last changes of secrets, in the memory of the writer's thread: what streams of changes are made of. It has names,
 * never values.
 */
import { randomBytes } from 'node:crypto';
import type { ChangeKind, SecretName } from './messages.ts';

/** A secret that a call changed. */
export interface ChangedSecret extends SecretName {
  /** The version that the change made, or that was accepted; 0 if nothing is left of the secret. */
  readonly version: number;
  readonly change: ChangeKind;
  /** The id of the author: `session` for the owner, else a token's. */
  readonly writtenBy: string;
}

/** `changedAt`: Unix time in seconds. */
export type RecentChange = ChangedSecret & { readonly changedAt: number };

/** A client that has missed more has to read everything again. */
const KEPT = 4_096;
const EPOCH_SIZE = 8;
const POSITION = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,15})$/;

/**
 * Changes are numbered from 1. A position is the number of the last change that somebody knows; as text, which is the event
 * id of the API, it has the epoch in front: another thread, or another file, has numbers of its own.
 */
export class RecentChanges {
  readonly #epoch = randomBytes(EPOCH_SIZE).toString('hex');
  /** The change of the number n is at the index n % KEPT. */
  readonly #kept: RecentChange[] = [];
  /** The number of the newest change. */
  #last = 0;

  /** Takes up what was committed. */
  add(changes: readonly ChangedSecret[], changedAt: number): void {
    // Of an import of a whole vault only the end is kept.
    const skipped = Math.max(0, changes.length - KEPT);
    this.#last += skipped;
    for (const change of changes.slice(skipped)) {
      this.#last += 1;
      this.#kept[this.#last % KEPT] = { ...change, changedAt };
    }
  }

  /** The position of the newest change. */
  get newest(): number {
    return this.#last;
  }

  format(position: number): string {
    return `${this.#epoch}-${position}`;
  }

  /** Returns the position; null for one of another epoch, or one after which changes have been dropped already. */
  parse(text: string): number | null {
    const [, epoch, digits] = POSITION.exec(text) ?? [];
    const position = Number(digits);
    if (epoch !== this.#epoch || position > this.#last || position < this.#last - KEPT) return null;
    return position;
  }

  /** The changes after a position that `parse` returned, oldest first, each with its own position. */
  *after(position: number): Generator<readonly [position: number, change: RecentChange]> {
    for (let next = position + 1; next <= this.#last; next++) {
      const change = this.#kept[next % KEPT];
      if (change !== undefined) yield [next, change];
    }
  }
}
