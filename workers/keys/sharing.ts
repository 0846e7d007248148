/**
 * How the worker threads of one process share the keyring: the writer unseals and seals, and tells every reader over a
 * channel that only the two have; a thread that was started later (a dead one's replacement) is told by the others. The
 * request thread makes these channels and hands both ends on. Holds the keyring while the vault is unsealed.
 *
 * What the threads share is numbered: each unsealing, sealing or rotation has a higher epoch than all before it, and a
 * thread takes up what is higher than what it knows, from whomever it comes. So a sealing wins over a keyring that is
 * still under way from one thread to another, whatever dies meanwhile.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Keyring, type SharedKeyring } from './keyring.ts';

type Message =
  /** What the sender knows; null: sealed, or, in epoch 0, nothing. `isAnswer`: as it was asked. */
  | {
      readonly kind: 'state';
      readonly epoch: number;
      readonly shared: SharedKeyring | null;
      readonly isAnswer: boolean;
    }
  /** By a reader that knows nothing. */
  | { readonly kind: 'ask' }
  /** The sender knows what this epoch brought. */
  | { readonly kind: 'taken'; readonly epoch: number };

interface Peer {
  readonly port: MessagePort;
  /** What it is known to know. */
  epoch: number;
  /** Whether it has yet to say what it knows. */
  isAwaited: boolean;
}

/** How long a thread that knows nothing waits for one that is busy, and a new keyring for all to have it. */
const PATIENCE_MS = 5_000;
/** Sealing waits so long for a thread that is reading; then the request thread ends it. */
const SEAL_PATIENCE_MS = 3_000;
/** More than one writer ever counts. */
const EPOCHS_OF_A_WRITER = 2 ** 32;

export class SharedKeyringHolder {
  readonly #role: 'reader' | 'writer';
  /** What this thread decides, if it is the writer, outranks what an earlier one did. */
  readonly #firstEpoch: number;
  readonly #peers = new Set<Peer>();
  /** 0 until this thread knows anything. */
  #epoch = 0;
  #keyring: Keyring | null = null;
  #waiting: (() => void)[] = [];
  /** Called whenever a peer knows more, or is gone. */
  readonly #onTaken = new Set<() => void>();

  constructor(role: 'reader' | 'writer', startNumber: number) {
    this.#role = role;
    this.#firstEpoch = startNumber * EPOCHS_OF_A_WRITER;
  }

  /** Whether nobody has ever told this thread anything: neither a keyring nor that the vault is sealed. */
  get knowsNothing(): boolean {
    this.#catchUp();
    return this.#epoch === 0;
  }

  /** What this thread has, once it has taken up what it was told so far. */
  get keyring(): Keyring | null {
    this.#catchUp();
    return this.#keyring;
  }

  /** A channel to another thread; each tells the other what it knows. */
  connect(port: MessagePort): void {
    const peer: Peer = { port, epoch: 0, isAwaited: true };
    this.#peers.add(peer);
    port.on('message', (message: Message) => this.#receive(peer, message));
    // The other thread has ended. What it said before comes first.
    port.once('close', () => this.#part(peer));
    port.unref();
    this.#tell(peer);
    if (this.#role === 'reader' && this.#epoch === 0) this.#post(peer, { kind: 'ask' });
  }

  /** The keyring, waiting for the other threads' word if this one knows nothing; null if the vault is sealed. */
  async find(): Promise<Keyring | null> {
    this.#catchUp();
    if (this.#epoch === 0) await this.#listenToOthers();
    return this.#keyring;
  }

  async #listenToOthers(): Promise<void> {
    if (this.#role === 'reader') for (const peer of this.#peers) this.#ask(peer);
    if (!this.#isWaitingForWord()) return;
    const heard = new Promise<void>((resolve) => this.#waiting.push(resolve));
    const timer = setTimeout(() => this.#resolveWaiting(), PATIENCE_MS);
    await heard;
    clearTimeout(timer);
  }

  /** A reader without a writer will get one; a writer without readers has nobody to wait for. */
  #isWaitingForWord(): boolean {
    if (this.#role === 'reader' && this.#peers.size === 0) return true;
    return [...this.#peers].some(({ isAwaited }) => isAwaited);
  }

  #ask(peer: Peer): void {
    if (peer.isAwaited) return;
    peer.isAwaited = true;
    this.#post(peer, { kind: 'ask' });
  }

  /** The writer's: takes up a keyring and tells the others. */
  publish(keyring: Keyring): void {
    this.#decide(keyring);
  }

  /** As publish; false if one of the other threads has not taken it up in time. */
  async publishToAll(keyring: Keyring): Promise<boolean> {
    this.#decide(keyring);
    return this.#isTakenByAll(PATIENCE_MS);
  }

  /** As forget; false if one of the other threads has not let go of its keyring in time. */
  async forgetInAll(): Promise<boolean> {
    this.#decide(null);
    return this.#isTakenByAll(SEAL_PATIENCE_MS);
  }

  async #isTakenByAll(patienceMs: number): Promise<boolean> {
    const epoch = this.#epoch;
    const hasAll = () => [...this.#peers].every((peer) => peer.epoch >= epoch);
    if (hasAll()) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const lookAgain = () => {
      if (hasAll()) resolve();
    };
    const timer = setTimeout(resolve, patienceMs);
    this.#onTaken.add(lookAgain);
    await promise;
    this.#onTaken.delete(lookAgain);
    clearTimeout(timer);
    return hasAll();
  }

  /** The writer's: drops the keyring here and in every other thread. */
  forget(): void {
    this.#decide(null);
  }

  #decide(keyring: Keyring | null): void {
    this.#catchUp();
    this.#take(Math.max(this.#epoch, this.#firstEpoch) + 1, keyring);
    for (const peer of this.#peers) this.#tell(peer);
  }

  #take(epoch: number, keyring: Keyring | null): void {
    this.#keyring?.destroy();
    this.#keyring = keyring;
    this.#epoch = epoch;
    this.#resolveWaiting();
  }

  /**
   * Takes up what other threads have sent by now. A batch that was sent later on another channel may be looked at
   * earlier, but must not find the vault as it was before.
   */
  #catchUp(): void {
    for (const peer of this.#peers) {
      for (;;) {
        const received = receiveMessageOnPort(peer.port);
        if (received === undefined) break;
        this.#receive(peer, received.message as Message);
      }
    }
  }

  #receive(peer: Peer, message: Message): void {
    if (message.kind === 'ask') {
      void this.#answer(peer);
      return;
    }
    peer.epoch = Math.max(peer.epoch, message.epoch);
    if (message.kind === 'state') this.#hear(peer, message);
    for (const lookAgain of this.#onTaken) lookAgain();
  }

  #hear(peer: Peer, { epoch, shared, isAnswer }: Message & { kind: 'state' }): void {
    // A writer that has just started says only that; asked, it first listens to all readers.
    if (isAnswer || this.#role === 'writer') peer.isAwaited = false;
    if (epoch > this.#epoch) {
      this.#take(epoch, shared === null ? null : new Keyring(shared));
      for (const other of this.#peers) if (other !== peer) this.#tell(other);
    }
    if (epoch > 0) this.#post(peer, { kind: 'taken', epoch: this.#epoch });
    if (!this.#isWaitingForWord()) this.#resolveWaiting();
  }

  async #answer(peer: Peer): Promise<void> {
    await this.find();
    this.#tell(peer, true);
  }

  #tell(peer: Peer, isAnswer = false): void {
    const shared = this.#keyring?.share() ?? null;
    this.#post(peer, { kind: 'state', epoch: this.#epoch, shared, isAnswer });
  }

  #post(peer: Peer, message: Message): void {
    peer.port.postMessage(message);
  }

  #part(peer: Peer): void {
    this.#peers.delete(peer);
    if (!this.#isWaitingForWord()) this.#resolveWaiting();
    for (const lookAgain of this.#onTaken) lookAgain();
  }

  #resolveWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
