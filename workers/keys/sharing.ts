/**
 * Shares the keyring between the worker threads of one process. The writer unseals and seals, and tells each reader over a
 * channel that only these two threads have. A thread that replaces a dead one is told by the others. The keeper thread makes
 * the channels and hands out both ends. Holds the keyring while the vault is unsealed.
 *
 * Each unsealing, sealing or rotation is an epoch, with a higher number than all before it. A thread takes up every state
 * with a higher epoch than its own, whichever thread sends it. So a sealing wins over a keyring that is still on its way
 * from one thread to another, even if threads die meanwhile.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Keyring } from './keyring.ts';
import { type LentKeyring, lendKeyring, takeKeyring, wipeKeyring } from './lent-keyring.ts';

type Message =
  /** The sender's state. `lent` is null if the vault is sealed; in epoch 0 the sender knows nothing. `isRequested`: after `ask`. */
  | {
      readonly kind: 'state';
      readonly epoch: number;
      readonly lent: LentKeyring | null;
      readonly isRequested: boolean;
    }
  /** From a reader that knows nothing. */
  | { readonly kind: 'ask' }
  /** The sender has taken up this epoch. */
  | { readonly kind: 'taken'; readonly epoch: number };

interface Peer {
  readonly port: MessagePort;
  /** The keyrings that this peer was sent and may not have taken yet, with the epoch of each. */
  readonly lent: Map<LentKeyring, number>;
  /** Highest epoch that this peer has confirmed. */
  epoch: number;
  /** Whether this thread waits for the peer to say what it knows. */
  isAwaited: boolean;
}

/** How long a thread that knows nothing waits for the others, and the writer for all to have a new keyring before it looks again. */
const PATIENCE_MS = 5_000;
/** How long sealing waits for a thread that is busy. After that the request thread ends it. */
const SEAL_PATIENCE_MS = 3_000;
/** More epochs than one writer can use. */
const EPOCHS_OF_A_WRITER = 2 ** 32;

export class SharedKeyringHolder {
  readonly #role: 'reader' | 'writer';
  /** Above every epoch of an earlier writer. */
  readonly #firstEpoch: number;
  readonly #peers = new Set<Peer>();
  /** 0 until this thread knows anything. */
  #epoch = 0;
  #keyring: Keyring | null = null;
  #waiting: (() => void)[] = [];
  /** Called whenever a peer confirms an epoch or ends. */
  readonly #onTaken = new Set<() => void>();

  constructor(role: 'reader' | 'writer', startNumber: number) {
    this.#role = role;
    this.#firstEpoch = startNumber * EPOCHS_OF_A_WRITER;
  }

  /** Whether this thread was never told anything: neither a keyring nor that the vault is sealed. */
  get knowsNothing(): boolean {
    this.#catchUp();
    return this.#epoch === 0;
  }

  /** The keyring, after the messages that have arrived so far; null if this thread has none. */
  get keyring(): Keyring | null {
    this.#catchUp();
    return this.#keyring;
  }

  /** Takes a channel to another thread, over which each tells the other its state. */
  connect(port: MessagePort): void {
    const peer: Peer = { port, lent: new Map(), epoch: 0, isAwaited: true };
    this.#peers.add(peer);
    port.on('message', (message: Message) => this.#receive(peer, message));
    // The other thread has ended. Its earlier messages are delivered before this.
    port.once('close', () => this.#forgetPeer(peer));
    port.unref();
    this.#sendState(peer);
    if (this.#role === 'reader' && this.#epoch === 0) this.#post(peer, { kind: 'ask' });
  }

  /** Returns the keyring, or null if the vault is sealed. A thread that knows nothing first waits for the others. */
  async find(): Promise<Keyring | null> {
    this.#catchUp();
    if (this.#epoch === 0) await this.#waitForOthers();
    return this.#keyring;
  }

  async #waitForOthers(): Promise<void> {
    if (this.#role === 'reader') for (const peer of this.#peers) this.#ask(peer);
    if (!this.#isAwaitingState()) return;
    const heard = new Promise<void>((resolve) => this.#waiting.push(resolve));
    const timer = setTimeout(() => this.#resolveWaiting(), PATIENCE_MS);
    await heard;
    clearTimeout(timer);
  }

  /** A reader without peers waits, because the writer will connect. A writer without peers does not wait. */
  #isAwaitingState(): boolean {
    if (this.#role === 'reader' && this.#peers.size === 0) return true;
    return [...this.#peers].some(({ isAwaited }) => isAwaited);
  }

  #ask(peer: Peer): void {
    if (peer.isAwaited) return;
    peer.isAwaited = true;
    this.#post(peer, { kind: 'ask' });
  }

  /** For the writer: takes up a keyring and tells the others. */
  publish(keyring: Keyring): void {
    this.#decide(keyring);
  }

  /** Returns whether every other thread knows what this one does; waits for it, but not for long. */
  async isTakenByAll(): Promise<boolean> {
    this.#catchUp();
    return this.#isTakenByAll(PATIENCE_MS);
  }

  /** As forget. Returns false if another thread has not dropped its keyring in time. */
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

  /** For the writer: drops the keyring here and in every other thread. */
  forget(): void {
    this.#decide(null);
  }

  #decide(keyring: Keyring | null): void {
    this.#catchUp();
    this.#setState(Math.max(this.#epoch, this.#firstEpoch) + 1, keyring);
    for (const peer of this.#peers) this.#sendState(peer);
  }

  #setState(epoch: number, keyring: Keyring | null): void {
    this.#keyring?.destroy();
    this.#keyring = keyring;
    this.#epoch = epoch;
    this.#resolveWaiting();
  }

  /**
   * Takes up the messages that have arrived. Node may deliver a batch before them although it was sent later, because it
   * comes over another channel; the batch must not see an older state of the vault.
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
      void this.#sendRequestedState(peer);
      return;
    }
    peer.epoch = Math.max(peer.epoch, message.epoch);
    // A keyring of an epoch that the peer knows by now is one that it has taken, or will ignore.
    this.#wipeLent(peer, peer.epoch);
    if (message.kind === 'state') this.#takeState(peer, message);
    for (const lookAgain of this.#onTaken) lookAgain();
  }

  #takeState(peer: Peer, { epoch, lent, isRequested }: Message & { kind: 'state' }): void {
    // A state that a new writer sends unasked says nothing yet. One that was asked for does: before it, the writer has listened to all readers.
    if (isRequested || this.#role === 'writer') peer.isAwaited = false;
    if (epoch > this.#epoch) {
      this.#setState(epoch, lent === null ? null : takeKeyring(lent));
      for (const other of this.#peers) if (other !== peer) this.#sendState(other);
    } else if (lent !== null) wipeKeyring(lent);
    if (epoch > 0) this.#post(peer, { kind: 'taken', epoch: this.#epoch });
    if (!this.#isAwaitingState()) this.#resolveWaiting();
  }

  async #sendRequestedState(peer: Peer): Promise<void> {
    await this.find();
    this.#sendState(peer, true);
  }

  #sendState(peer: Peer, isRequested = false): void {
    const epoch = this.#epoch;
    const lent = this.#keyring === null ? null : lendKeyring(this.#keyring);
    if (lent !== null) peer.lent.set(lent, epoch);
    this.#post(peer, { kind: 'state', epoch, lent, isRequested });
  }

  /** Zeroes the keyrings that this peer was sent up to an epoch. */
  #wipeLent(peer: Peer, epoch: number): void {
    for (const [lent, ofEpoch] of peer.lent) {
      if (ofEpoch > epoch) continue;
      wipeKeyring(lent);
      peer.lent.delete(lent);
    }
  }

  #post(peer: Peer, message: Message): void {
    peer.port.postMessage(message);
  }

  #forgetPeer(peer: Peer): void {
    this.#peers.delete(peer);
    this.#wipeLent(peer, Number.POSITIVE_INFINITY);
    if (!this.#isAwaitingState()) this.#resolveWaiting();
    for (const lookAgain of this.#onTaken) lookAgain();
  }

  #resolveWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
