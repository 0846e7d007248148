/**
 * The daemon's log, on standard error: plain lines for people, or JSON lines for programs. Only the fields named here are
 * ever written, so that no value, token or query string can slip in with an object.
 */

import { escapeControls, escapeJson, escapeLines } from '../text/escape-controls.ts';
import { LogWriter } from './log-writer.ts';

export interface Log {
  readonly request: LogRequest;
  /** Writes what else happened; `detail` names things, never values. */
  event(event: string, detail: string): void;
  /** Called once, when the daemon is ready. */
  ready(start: Start): void;
  /** Writes what is still in memory. Resolves with false if that did not end in time. */
  end(): Promise<boolean>;
}

/** Writes one line about a request that was answered. */
export type LogRequest = (line: RequestLine) => void;

export interface RequestLine {
  /** null where the request could not be read. */
  readonly method: string | null;
  readonly response: {
    readonly status: number;
    readonly route: string | null;
    readonly tokenId: string | null;
    readonly code: string | null;
    readonly requestId: string;
  };
  readonly durationMs: number;
}

export interface Start {
  readonly socketPath: string;
  /** Why the vault is sealed; null if it is not. */
  readonly sealedBecause: string | null;
  /** For people: what to do now. */
  readonly hints: string;
}

export type LogFormat = 'text' | 'json';

export interface LogOptions {
  readonly format: LogFormat;
  /** Whether requests are logged. */
  readonly hasRequests: boolean;
  /** Whether nothing is logged but warnings. */
  readonly isQuiet: boolean;
}

/** Events that the owner should look at. */
const WARNINGS: readonly string[] = [
  'warning',
  'failure',
  'sealed',
  'damaged',
  'worker-died',
  'guessing',
  'log-lost',
];
/** The numbers are pino's, which many programs that read logs know. */
const LEVELS = { info: 30, warn: 40 } as const;
const STDERR = 2;
/** How long the end of the daemon waits for the last lines. */
const END_MS = 500;

type Level = keyof typeof LEVELS;

/** Formats lines, each with its newline; null leaves a line out. */
interface Format {
  event(level: Level, event: string, detail: string): string | null;
  request(line: RequestLine): string;
  ready(start: Start, isQuiet: boolean): string | null;
}

export function createLog({ format, hasRequests, isQuiet }: LogOptions): Log {
  const lines = format === 'json' ? JSON_LINES : new PlainLines();
  const send = (line: string | null) => {
    if (line === null) return;
    writer.write(line);
    writer.send();
  };
  const writer = new LogWriter(STDERR, (lost) => lines.event('warn', 'log-lost', String(lost)) ?? '');
  return {
    request: (line) => {
      if (hasRequests && !isQuiet) writer.write(lines.request(line));
    },
    event: (event, detail) => {
      const level = WARNINGS.includes(event) ? 'warn' : 'info';
      if (!isQuiet || level === 'warn') send(lines.event(level, event, detail));
    },
    ready: (start) => send(lines.ready(start, isQuiet)),
    end: () => writer.end(END_MS),
  };
}

const JSON_LINES: Format = {
  event: (level, event, detail) =>
    `${escapeJson(JSON.stringify({ level: LEVELS[level], time: new Date(), pid: PID, event, detail }))}\n`,
  // Put together by hand, as JSON.stringify takes longer than the rest of a line.
  request: ({ method, response, durationMs }) => {
    const { route, status, code, requestId, tokenId } = response;
    const what = `"method":${quote(method)},"route":${quote(route)},"status":${status},"code":${quote(code)}`;
    const ids = `"request_id":"${requestId}","token_id":${quote(tokenId)}`;
    return `${startLine()}${what},"duration_ms":${Math.round(durationMs * 1_000) / 1_000},${ids}}\n`;
  },
  ready: ({ socketPath }, isQuiet) => (isQuiet ? null : JSON_LINES.event('info', 'listening', socketPath)),
};

const PID = process.pid;

/** For names and ids from tables of ours, which have nothing that JSON escapes. Nor has a request id (`chooseRequestId`). */
function quote(text: string | null): string {
  return text === null ? 'null' : `"${text}"`;
}

/** Kept because formatting a time takes longer than the rest of a line, and a millisecond has many requests. */
let start = { ms: Number.NaN, text: '' };

/** Returns the beginning of a request's line. */
function startLine(): string {
  const ms = Date.now();
  if (ms !== start.ms) {
    const time = new Date(ms).toISOString();
    start = { ms, text: `{"level":${LEVELS.info},"time":"${time}","pid":${PID},"event":"request",` };
  }
  return start.text;
}

const SENTENCES: Readonly<Record<string, (detail: string) => string>> = {
  unsealed: () => 'the vault is unsealed',
  sealed: (detail) => `the vault is sealed: ${detail}`,
  destroyed: () => 'the vault was destroyed',
  stopping: (detail) => `stopping (${detail})`,
  'worker-died': (detail) => `a worker thread died (${detail})`,
  failure: (detail) => `a request failed: ${detail}`,
  'log-lost': (detail) => `${detail} lines of this log could not be written`,
};

/** For people. */
class PlainLines implements Format {
  #isReady = false;

  event(level: Level, event: string, detail: string): string | null {
    // Until the daemon is ready it is not known how the start ends: the owner may be asked for a passphrase.
    if (!this.#isReady && (event === 'sealed' || event === 'unsealed')) return null;
    const text = SENTENCES[event]?.(detail) ?? detail;
    return formatPlain(level === 'warn' ? `warning: ${text}` : text);
  }

  request({ method, response, durationMs }: RequestLine): string {
    const { route, status, code } = response;
    const words = [method, route, status, code, `${Math.round(durationMs * 1_000) / 1_000} ms`];
    return formatPlain(words.filter((word) => word !== null).join(' '));
  }

  ready({ socketPath, sealedBecause, hints }: Start, isQuiet: boolean): string {
    this.#isReady = true;
    const lines = [
      ...(isQuiet ? [] : [`Serving the vault on ${escapeControls(socketPath)}`]),
      ...(sealedBecause === null ? [] : [`The vault is sealed: ${escapeControls(sealedBecause)}`]),
      ...(isQuiet ? [] : [escapeLines(hints)]),
    ];
    return lines.map((line) => `${line}\n`).join('');
  }
}

/** Puts the local time before the text. */
function formatPlain(text: string): string {
  return `${new Date().toLocaleTimeString('en-GB')} ${escapeControls(text)}\n`;
}
