/**
 * The daemon's log: JSON lines on standard error. Only the fields named here are ever written, so that no value, token
 * or query string can slip in with an object.
 */
import { type DestinationStream, destination, pino } from 'pino';
import type { Answer } from './http/answer.ts';

export interface Log {
  /** One line for every request that was answered. */
  request(line: {
    readonly method: string | null;
    readonly answer: Answer;
    readonly durationMs: number;
  }): void;
  /** What else happened; `detail` names things, never values. */
  event(event: string, detail: string): void;
  /** Writes what is still in memory; the last thing before the process ends. */
  flush(): void;
}

/** Events that somebody should look at. */
const WARNINGS: readonly string[] = ['warning', 'failure', 'sealed', 'damaged', 'worker-died', 'guessing'];
const STDERR = 2;

export function createLog(): Log {
  const { pid } = process;
  const lines = new LineBuffer(destination({ dest: STDERR, sync: false }));
  const logger = pino({ base: { pid }, timestamp: () => `,"time":"${formatNow()}"` }, lines);
  return {
    // As the logger would write it, which puts a line together from two dozen strings and takes ten times as long.
    request: ({ method, answer, durationMs }) => {
      const { route, status, code, requestId, tokenId } = answer;
      const line = {
        level: logger.levels.values.info,
        time: formatNow(),
        pid,
        event: 'request',
        method,
        route,
        status,
        code,
        duration_ms: Math.round(durationMs * 1000) / 1000,
        request_id: requestId,
        token_id: tokenId,
      };
      lines.write(`${JSON.stringify(line)}\n`);
    },
    event: (event, detail) => {
      logger[WARNINGS.includes(event) ? 'warn' : 'info']({ event, detail });
      lines.send();
    },
    flush: () => lines.flushSync(),
  };
}

/** Formatting a time takes longer than the rest of a line; many requests are answered within one millisecond. */
let formatted = { ms: Number.NaN, text: '' };

/** The time as RFC 3339 UTC, to the millisecond. */
function formatNow(): string {
  const ms = Date.now();
  if (ms !== formatted.ms) formatted = { ms, text: new Date(ms).toISOString() };
  return formatted.text;
}

/** How long a line may lie in memory. */
const DELAY_MS = 50;
/** How many lines may, so that few are lost if the process is killed. */
const MAX_LINES = 64;

/** Hands lines on several at a time: every write wakes a thread, which costs more than a request's whole routing. */
class LineBuffer implements DestinationStream {
  readonly #stream: DestinationStream & { flushSync(): void };
  #lines: string[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(stream: DestinationStream & { flushSync(): void }) {
    this.#stream = stream;
  }

  write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= MAX_LINES) this.send();
    else this.#timer ??= setTimeout(() => this.send(), DELAY_MS).unref();
  }

  send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lines.length === 0) return;
    this.#stream.write(this.#lines.join(''));
    this.#lines = [];
  }

  flushSync(): void {
    try {
      this.send();
      this.#stream.flushSync();
    } catch {
      // Standard error is gone; there is nowhere left to say so.
    }
  }
}
