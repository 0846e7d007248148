/**
 * How the worker threads of one process share the keyring: one thread unseals, the others hear of it, and a thread
 * that was started later (a dead one's replacement) asks. The request thread does not listen on this channel.
 * Holds the keyring while the vault is unsealed; `forget` drops it in every thread.
 */
import { BroadcastChannel } from 'node:worker_threads';
import { Keyring, type SharedKeyring } from './keyring.ts';

type Message =
  | { readonly kind: 'ask' }
  | { readonly kind: 'keyring'; readonly keyring: SharedKeyring }
  | { readonly kind: 'taken'; readonly unsealId: string }
  | { readonly kind: 'forget'; readonly unsealId: string };

/** How long a thread without a keyring waits for another to answer, and a new keyring for all to have it. */
const ANSWER_TIMEOUT_MS = 1_000;

export class SharedKeyringHolder {
  readonly #channel: BroadcastChannel;
  readonly #forgotten = new Set<string>();
  #keyring: Keyring | null = null;
  #waiting: ((keyring: Keyring | null) => void)[] = [];
  /** Hears of each thread that has taken up what this one published. */
  #onTaken: (unsealId: string) => void = () => {};

  constructor(channelName: string) {
    this.#channel = new BroadcastChannel(channelName);
    this.#channel.onmessage = (event) => this.#receive((event as { data: Message }).data);
    this.#channel.unref();
  }

  get keyring(): Keyring | null {
    return this.#keyring;
  }

  /** The keyring, asking the other threads for it if this one has none; null if none has. */
  async find(): Promise<Keyring | null> {
    if (this.#keyring !== null) return this.#keyring;
    const answer = new Promise<Keyring | null>((resolve) => this.#waiting.push(resolve));
    const timer = setTimeout(() => this.#resolveWaiting(null), ANSWER_TIMEOUT_MS);
    this.#post({ kind: 'ask' });
    return answer.finally(() => clearTimeout(timer));
  }

  /** Takes up a keyring that this thread has unsealed and tells the others. */
  publish(keyring: Keyring): void {
    this.#keyring = keyring;
    this.#post({ kind: 'keyring', keyring: keyring.share() });
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
    this.#channel.postMessage(message);
  }

  #receive(message: Message): void {
    if (message.kind === 'ask') {
      if (this.#keyring !== null) this.#post({ kind: 'keyring', keyring: this.#keyring.share() });
    } else if (message.kind === 'forget') {
      this.#drop(message.unsealId);
    } else if (message.kind === 'taken') {
      this.#onTaken(message.unsealId);
    } else if (!this.#forgotten.has(message.keyring.unsealId)) {
      this.#keyring = new Keyring(message.keyring);
      this.#post({ kind: 'taken', unsealId: this.#keyring.unsealId });
      this.#resolveWaiting(this.#keyring);
    }
  }

  #resolveWaiting(keyring: Keyring | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(keyring);
  }
}
