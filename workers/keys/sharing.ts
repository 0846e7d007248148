/**
 * How the worker threads of one process share the keyring: one thread unseals, the others hear of it, and a thread
 * that was started later (a dead one's replacement) asks. The request thread does not listen on these channels.
 * Holds the keyring while the vault is unsealed; `forget` drops it in every thread.
 *
 * A KeyObject cannot be posted to more than one receiver, so what all may hear goes over one channel, and the keyring
 * over channels with two ends, one for every pair of threads.
 */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import { Keyring, type SharedKeyring } from './keyring.ts';

/** On the channel of all; `from` is the sender's id. */
type Message =
  /** A thread has started. */
  | { readonly kind: 'hello'; readonly from: string }
  /** The answer to that, by every thread that was there already. */
  | { readonly kind: 'here'; readonly from: string; readonly to: string }
  | { readonly kind: 'ask'; readonly from: string }
  | { readonly kind: 'taken'; readonly unsealId: string }
  | { readonly kind: 'forget'; readonly unsealId: string };

/** How long a thread without a keyring waits for another to answer, and a new keyring for all to have it. */
const ANSWER_TIMEOUT_MS = 5_000;

export class SharedKeyringHolder {
  readonly #id = randomUUID();
  readonly #name: string;
  readonly #all: BroadcastChannel;
  /** By the other thread's id. One that died stays here: its channel has nobody at its other end. */
  readonly #pairs = new Map<string, BroadcastChannel>();
  readonly #forgotten = new Set<string>();
  #keyring: Keyring | null = null;
  #waiting: ((keyring: Keyring | null) => void)[] = [];
  /** Hears of each thread that has taken up what this one published. */
  #onTaken: (unsealId: string) => void = () => {};

  constructor(channelName: string) {
    this.#name = channelName;
    this.#all = listen(channelName, (message) => this.#receive(message as Message));
    this.#post({ kind: 'hello', from: this.#id });
  }

  get keyring(): Keyring | null {
    return this.#keyring;
  }

  /** The keyring, asking the other threads for it if this one has none; null if none has. */
  async find(): Promise<Keyring | null> {
    if (this.#keyring !== null) return this.#keyring;
    const answer = new Promise<Keyring | null>((resolve) => this.#waiting.push(resolve));
    const timer = setTimeout(() => this.#resolveWaiting(null), ANSWER_TIMEOUT_MS);
    this.#post({ kind: 'ask', from: this.#id });
    return answer.finally(() => clearTimeout(timer));
  }

  /** Takes up a keyring that this thread has unsealed and tells the others. */
  publish(keyring: Keyring): void {
    this.#keyring = keyring;
    for (const thread of this.#pairs.keys()) this.#give(thread);
    // What this thread was asked between a sealing and this.
    this.#resolveWaiting(keyring);
  }

  /** As publish; resolves when so many other threads have the keyring, or when one of them takes too long. */
  async publishToAll(keyring: Keyring, threads: number): Promise<void> {
    let left = threads;
    const taken = new Promise<void>((resolve) => {
      setTimeout(resolve, ANSWER_TIMEOUT_MS).unref();
      this.#onTaken = (unsealId) => {
        if (unsealId === keyring.unsealId) left -= 1;
        if (left === 0) resolve();
      };
    });
    this.publish(keyring);
    await taken;
    this.#onTaken = () => {};
  }

  /** Drops the keyring here and in every other thread. */
  forget(): void {
    if (this.#keyring === null) return;
    const { unsealId } = this.#keyring;
    this.#drop(unsealId);
    this.#post({ kind: 'forget', unsealId });
  }

  #drop(unsealId: string): void {
    this.#forgotten.add(unsealId);
    if (this.#keyring?.unsealId !== unsealId) return;
    this.#keyring.destroy();
    this.#keyring = null;
  }

  #post(message: Message): void {
    this.#all.postMessage(message);
  }

  #receive(message: Message): void {
    if (message.kind === 'forget') {
      this.#drop(message.unsealId);
    } else if (message.kind === 'taken') {
      this.#onTaken(message.unsealId);
    } else if (message.kind === 'hello') {
      this.#meet(message.from);
      this.#post({ kind: 'here', from: this.#id, to: message.from });
    } else if (message.kind === 'ask') {
      this.#give(message.from);
    } else if (message.to === this.#id) {
      this.#meet(message.from);
      // What that thread said before it was met is lost, and so may be what this one asked.
      if (this.#keyring === null) this.#post({ kind: 'ask', from: this.#id });
    }
  }

  #meet(thread: string): void {
    // Two that start at the same time hear each other's hello and answer each other's: a second channel of the same
    // name would be a third end.
    if (this.#pairs.has(thread)) return;
    const name = [this.#name, ...[this.#id, thread].toSorted()].join('/');
    this.#pairs.set(
      thread,
      listen(name, (shared) => this.#take(shared as SharedKeyring)),
    );
  }

  #give(thread: string): void {
    if (this.#keyring !== null) this.#pairs.get(thread)?.postMessage(this.#keyring.share());
  }

  #take(shared: SharedKeyring): void {
    if (this.#forgotten.has(shared.unsealId)) return;
    this.#keyring = new Keyring(shared);
    this.#post({ kind: 'taken', unsealId: shared.unsealId });
    this.#resolveWaiting(this.#keyring);
  }

  #resolveWaiting(keyring: Keyring | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(keyring);
  }
}

/** A channel that keeps no thread alive. */
function listen(name: string, receive: (message: unknown) => void): BroadcastChannel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => receive((event as { data: unknown }).data);
  channel.unref();
  return channel;
}
