/** The order in which clients take turns, compared with a slow and plain queue. */
import fc from 'fast-check';
import t from 'tap';
import { FairQueue } from '../src/pool/fair-queue.ts';

interface Entry {
  readonly name: string;
  readonly client: string;
  readonly turn: number;
}

/** Gives each entry a turn, and looks for its place among all that wait. */
class PlainQueue {
  readonly #entries: Entry[] = [];

  push(name: string, client: string): void {
    const last = this.#entries.findLast((entry) => entry.client === client);
    const turn = last === undefined ? (this.#entries[0]?.turn ?? 0) : last.turn + 1;
    const before = this.#entries.findLastIndex((entry) => entry.turn <= turn);
    this.#entries.splice(before + 1, 0, { name, client, turn });
  }

  shift(): string | null {
    return this.#entries.shift()?.name ?? null;
  }

  get length(): number {
    return this.#entries.length;
  }
}

const step = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant(null));

t.test('fair queue > any clients, adding and taking > the order of a plain queue with turns', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [queue, plain] = [new FairQueue<string>(), new PlainQueue()];
      for (const [index, client] of steps.entries()) {
        if (client === null) {
          t.equal(queue.peek(), plain.shift());
          queue.shift();
        } else {
          queue.push(`${client}${index}`, client);
          plain.push(`${client}${index}`, client);
        }
        t.equal(queue.length, plain.length);
      }
    }),
  );
});
