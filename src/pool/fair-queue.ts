/**
 * A queue in which clients take turns, each in its own order, so that many items of one client do not hold up a few of
 * another. Adding and taking cost the same however many items wait.
 */

interface Node<Item> {
  readonly item: Item;
  readonly client: Client<Item>;
  next: Node<Item> | null;
}

/** At most one item of each client, in the order in which they were added. */
interface Round<Item> {
  first: Node<Item> | null;
  last: Node<Item> | null;
  next: Round<Item> | null;
}

interface Client<Item> {
  readonly id: string;
  /** The round of its last item. */
  round: Round<Item>;
  waiting: number;
}

export class FairQueue<Item> {
  /** The rounds that have items, and at least one. */
  #first: Round<Item> = createRound();
  /** Clients with items that wait. */
  readonly #clients = new Map<string, Client<Item>>();
  length = 0;

  /** A client's first item joins the first round, each of the others the round after the one before it. */
  push(item: Item, clientId: string): void {
    let client = this.#clients.get(clientId);
    if (client === undefined) {
      client = { id: clientId, round: this.#first, waiting: 0 };
      this.#clients.set(clientId, client);
    } else {
      client.round.next ??= createRound();
      client.round = client.round.next;
    }
    const { round } = client;
    const node: Node<Item> = { item, client, next: null };
    if (round.last === null) round.first = node;
    else round.last.next = node;
    round.last = node;
    client.waiting += 1;
    this.length += 1;
  }

  /** Returns the item that comes first, and leaves it there; null if there is none. */
  peek(): Item | null {
    return this.#first.first?.item ?? null;
  }

  /** Takes away the item that comes first. */
  shift(): void {
    const node = this.#first.first;
    if (node === null) return;
    const { client, next } = node;
    this.#first.first = next;
    if (next === null) {
      this.#first.last = null;
      this.#first = this.#first.next ?? this.#first;
    }
    client.waiting -= 1;
    if (client.waiting === 0) this.#clients.delete(client.id);
    this.length -= 1;
  }
}

function createRound<Item>(): Round<Item> {
  return { first: null, last: null, next: null };
}
