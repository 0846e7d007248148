/**
 * The streams of changes that are open (`GET /v1/changes`): how many there may be, and when each looks for changes. What has
 * changed only the writer's thread knows, and only there it is known what a token may learn of it. So this thread merely
 * wakes the streams when something may have changed, and each then asks for itself.
 */
import type { CallResult } from '../call-result.ts';
import { HttpError } from './errors.ts';
import type { Rest } from './whole-list.ts';

/** Each holds a connection and a few KiB. */
const MAX_STREAMS = 256;
const MAX_OF_ONE_PRINCIPAL = 64;
/** The principal of the command line: no token can take the streams away that are left for it. */
const SESSION = 'session';
/** Streams ask at most so often, so that many writes cost few questions. */
const PAUSE_MS = 100;
/**
 * A stream that has nothing to say sends a comment this often, and asks too, in case it was not woken: the file was replaced,
 * say. Proxies and clients take a connection for dead that is silent for much longer.
 */
const HEARTBEAT_MS = 15_000;
/** Told to clients: how long they wait before they connect again. */
const RETRY_MS = 1_000;

const COMMENT = ':\n\n';

type Bytes = Uint8Array<ArrayBuffer>;
type Page = Extract<CallResult, { ok: true }>;

/** Asks for the events after a position. Rejects with HttpError if the client may not have the stream any more. */
export type AskChanges = (after: string) => Promise<CallResult>;

interface StreamOptions {
  readonly ask: AskChanges;
  /** When the token expires, in Unix milliseconds. */
  readonly untilMs: number;
  /** Whether the client said where it was. */
  readonly isResumed: boolean;
}

export const EVENT_STREAM = 'text/event-stream';

export class ChangeStreams {
  readonly #open = new Set<ChangeStream>();
  #timer: NodeJS.Timeout | null = null;
  #wokenAtMs = Number.NEGATIVE_INFINITY;

  /** Throws HttpError `busy` if there are as many as there may be. */
  open(principalId: string): ChangeStream {
    const others = [...this.#open].filter((stream) => stream.principalId !== SESSION);
    const own = [...this.#open].filter((stream) => stream.principalId === principalId);
    if (own.length >= MAX_OF_ONE_PRINCIPAL || (principalId !== SESSION && others.length >= MAX_STREAMS))
      throw new HttpError('busy', 'too many streams of changes are open; close some', ['Retry-After', '1']);
    const stream = new ChangeStream(principalId, () => this.#open.delete(stream));
    this.#open.add(stream);
    return stream;
  }

  /** Something may have changed: a secret, a principal, or whether the vault is sealed. Streams notice within PAUSE_MS. */
  wake(): void {
    if (this.#open.size === 0 || this.#timer !== null) return;
    const waitMs = Math.max(0, this.#wokenAtMs + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#wokenAtMs = performance.now();
      for (const stream of this.#open) stream.wake();
    }, waitMs).unref();
  }

  /** Ends every stream, so that the daemon can stop. */
  end(): void {
    for (const stream of this.#open) stream.end();
  }
}

export class ChangeStream {
  readonly principalId: string;
  readonly #onEnd: () => void;
  #isOver = false;
  #isWoken = false;
  #wakeUp = (): void => {};

  constructor(principalId: string, onEnd: () => void) {
    this.principalId = principalId;
    this.#onEnd = onEnd;
  }

  wake(): void {
    this.#isWoken = true;
    this.#wakeUp();
  }

  end(): void {
    this.#isOver = true;
    this.#onEnd();
    this.#wakeUp();
  }

  /** Returns what a response says. `first` is the reply to the first question. */
  start(first: Page, options: StreamOptions) {
    // A client that does not resume gets a position, so that it can resume even if it never gets an event.
    const position = options.isResumed ? '' : `id: ${first.cursor}\n`;
    const body = toBytes(`retry: ${RETRY_MS}\n${position}\n`, first.body);
    return { type: EVENT_STREAM, body, rest: this.#follow(first, options), isLive: true } as const;
  }

  async *#follow({ cursor = '', body }: Page, { ask, untilMs }: StreamOptions): Rest {
    let [after, isMore] = [cursor, body.length > 0];
    try {
      for (;;) {
        const isWoken = isMore || (await this.#wait(untilMs));
        if (this.#isOver) return;
        this.#isWoken = false;
        const page = await ask(after);
        // A client that connects again is told why.
        if (!page.ok || this.#isOver) return;
        after = page.cursor ?? after;
        isMore = page.body.length > 0;
        if (isMore) yield toBytes('', page.body);
        else if (!isWoken) yield toBytes(COMMENT);
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
    } finally {
      this.end();
    }
  }

  /** Resolves with whether the stream was woken: otherwise it is time for a heartbeat, or the token has expired. */
  async #wait(untilMs: number): Promise<boolean> {
    if (this.#isWoken || this.#isOver) return true;
    const waitMs = Math.max(0, Math.min(HEARTBEAT_MS, untilMs - Date.now()));
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve;
      timer = setTimeout(resolve, waitMs).unref();
    });
    clearTimeout(timer);
    return this.#isWoken;
  }
}

/** In memory of its own: the replies of a batch share theirs, and the sender gives the memory of each piece back. */
function toBytes(text: string, events: Uint8Array = new Uint8Array()): Bytes {
  const size = Buffer.byteLength(text);
  const bytes = new Uint8Array(size + events.length);
  bytes.set(Buffer.from(text));
  bytes.set(events, size);
  return bytes;
}
