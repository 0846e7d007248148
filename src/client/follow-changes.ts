/** Follows the stream of changes over as many connections as it takes. */
import { UntrustedError } from '../places/trusted-places.ts';
import type { Incoming } from './connection.ts';
import { MaestroVaultError } from './errors.ts';
import { EventParser, type ParsedEvent } from './event-parser.ts';
import type { ChangeEvent, SecretChange } from './types.ts';

/** How long it waits before it connects again. */
const RETRY_MS = 1_000;
/** Three times as long as the daemon is ever silent. After that the connection counts as dead. */
const SILENCE_MS = 45_000;

export interface StreamRequest {
  readonly lastEventId: string;
  readonly onBody: (piece: Uint8Array) => void;
  readonly signal: AbortSignal;
}

/** Asks for the stream. Resolves when it has ended; rejects if there is none, or if it breaks off. */
export type OpenStream = (request: StreamRequest) => Promise<Incoming>;

/**
 * Yields events until `signal` is aborted. Throws what the first connection fails with. Later it throws only if it makes no
 * sense to connect again: the token is not valid any more, or another user listens.
 */
export async function* followChanges(
  open: OpenStream,
  lastEventId: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChangeEvent, void, undefined> {
  let position = lastEventId;
  let wasOpen = false;
  while (!signal?.aborted) {
    const stream = new Stream(open, position, signal);
    try {
      for await (const event of stream.events()) {
        wasOpen = true;
        position = event.id;
        yield event;
      }
      wasOpen = true;
    } catch (error) {
      if (signal?.aborted) return;
      wasOpen ||= stream.isOpen;
      if (!wasOpen || isFinal(error)) throw error;
    } finally {
      stream.close();
    }
    await pause(signal);
  }
}

/** Resolves after RETRY_MS, or when `signal` is aborted. */
function pause(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, RETRY_MS);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}

function isFinal(error: unknown): boolean {
  return error instanceof UntrustedError || (error instanceof MaestroVaultError && error.status !== 503);
}

/** One connection. */
class Stream {
  readonly #parser = new EventParser();
  readonly #gaveUp = new AbortController();
  readonly #ended: Promise<Incoming>;
  readonly #arrived: ChangeEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #wakeUp = (): void => {};
  #isOver = false;
  /** Whether anything has arrived. */
  isOpen = false;

  constructor(open: OpenStream, lastEventId: string, signal: AbortSignal | undefined) {
    const signals = signal === undefined ? [this.#gaveUp.signal] : [this.#gaveUp.signal, signal];
    const onBody = (piece: Uint8Array) => this.#take(piece);
    this.#ended = open({ lastEventId, onBody, signal: AbortSignal.any(signals) });
    this.#ended
      .catch(() => {})
      .finally(() => {
        this.#isOver = true;
        this.#wakeUp();
      });
  }

  async *events(): AsyncGenerator<ChangeEvent, void, undefined> {
    for (;;) {
      for (const event of this.#arrived.splice(0)) yield event;
      if (this.#arrived.length > 0) continue;
      if (this.#isOver) return void (await this.#ended);
      await new Promise<void>((resolve) => {
        this.#wakeUp = resolve;
      });
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#gaveUp.abort();
  }

  #take(piece: Uint8Array): void {
    this.isOpen = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), SILENCE_MS).unref();
    for (const parsed of this.#parser.add(piece)) {
      const event = toChangeEvent(parsed);
      if (event !== null) this.#arrived.push(event);
    }
    this.#wakeUp();
  }
}

/** Returns null for an event of another kind, which a later version may send. */
function toChangeEvent({ event, id = '', data }: ParsedEvent): ChangeEvent | null {
  if (data === undefined || event === 'reset') return { event: 'reset', id };
  return event === 'change' ? { event, id, ...(JSON.parse(data) as SecretChange) } : null;
}
