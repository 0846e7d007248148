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
const WARNINGS: ReadonlySet<string> = new Set(['warning', 'failure', 'sealed', 'worker-died']);
const STDERR = 2;

export function createLog(): Log {
  const stream = destination({ dest: STDERR, sync: false });
  const logger = pino(
    { base: { pid: process.pid }, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    stream,
  );
  return {
    request: ({ method, answer, durationMs }) => {
      const { route, status, code, requestId, tokenId } = answer;
      const duration_ms = Math.round(durationMs * 1000) / 1000;
      logger.info({
        event: 'request',
        method,
        route,
        status,
        code,
        duration_ms,
        request_id: requestId,
        token_id: tokenId,
      });
    },
    event: (event, detail) => logger[WARNINGS.has(event) ? 'warn' : 'info']({ event, detail }),
    flush: () => flushSync(stream),
  };
}

function flushSync(stream: DestinationStream & { flushSync(): void }): void {
  try {
    stream.flushSync();
  } catch {
    // Standard error is gone; there is nowhere left to say so.
  }
}
