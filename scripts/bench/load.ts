/**
 * The load: keep-alive connections that each send one request, wait for its whole answer, and send the next. It is a process of
 * its own, so that it takes the same share of the machine from every server, and as small a share as checking every answer
 * allows. The argument is a JSON object (`LoadOptions`). The result goes to standard output as one JSON line (`LoadResult`). The
 * first quarter of the time is for warming up and is not counted.
 *
 * autocannon would not do: it counts latencies in whole milliseconds, and an answer here takes a tenth of one.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { AnswerReader } from './answer-reader.ts';

export interface LoadOptions {
  readonly socketPath: string;
  readonly connections: number;
  /** Duration, including the time for warming up. */
  readonly durationMs: number;
  /** File with a JSON array of requests (heads and bodies as sent). All connections send them in turn. */
  readonly requestsPath: string;
  /** The status that every answer must have. */
  readonly status: number;
}

export interface LoadResult {
  /** All answers, those of the warm-up too. */
  readonly answers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const WARMUP_SHARE = 0.25;
const READ_SIZE = 65_536;
/** More than any server here answers. Memory for the latencies is allocated before the clock runs. */
const MAX_ANSWERS_PER_MS = 100;

class Run {
  readonly #options: LoadOptions;
  readonly #requests: readonly Buffer[];
  readonly #latenciesMs: Float64Array;
  readonly #countFrom: number;
  readonly #endAt: number;
  #answers = 0;
  #counted = 0;
  #next: number;
  #open: number;

  constructor(options: LoadOptions, requests: readonly Buffer[]) {
    const { durationMs, connections } = options;
    this.#options = options;
    this.#requests = requests;
    this.#latenciesMs = new Float64Array(durationMs * MAX_ANSWERS_PER_MS);
    // Starts anywhere, so that one round does not ask for the same secrets as the round before.
    this.#next = Math.floor(Math.random() * requests.length);
    this.#open = connections;
    const startedAt = performance.now();
    this.#countFrom = startedAt + durationMs * WARMUP_SHARE;
    this.#endAt = startedAt + durationMs;
  }

  start(): void {
    for (let i = 0; i < this.#options.connections; i++) this.#drive();
  }

  /** `onread` uses the same memory for every read, and none of a stream's machinery. */
  #drive(): void {
    const { socketPath: path, status } = this.#options;
    const reader = new AnswerReader(status);
    let sentAt = 0;
    const callback = (size: number, bytes: Uint8Array) => {
      if (!reader.read(bytes as Buffer, size)) return true;
      const now = performance.now();
      this.#answers += 1;
      if (now >= this.#countFrom) this.#latenciesMs[this.#counted++] = now - sentAt;
      if (now >= this.#endAt) {
        this.#close(now);
        socket.destroy();
      } else {
        sentAt = now;
        socket.write(this.#takeRequest());
      }
      return true;
    };
    const socket = connect({ path, onread: { buffer: Buffer.allocUnsafeSlow(READ_SIZE), callback } }, () => {
      sentAt = performance.now();
      socket.write(this.#takeRequest());
    });
    socket.once('end', () => {
      throw new Error('the server closed a connection');
    });
  }

  #takeRequest(): Buffer {
    const request = this.#requests[this.#next] as Buffer;
    this.#next = (this.#next + 1) % this.#requests.length;
    return request;
  }

  #close(now: number): void {
    this.#open -= 1;
    if (this.#open === 0) this.#report(now);
  }

  #report(now: number): void {
    const sorted = this.#latenciesMs.subarray(0, this.#counted).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const perSecond = (sorted.length * 1000) / (now - this.#countFrom);
    const result: LoadResult = { answers: this.#answers, perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const requests = JSON.parse(readFileSync(options.requestsPath, 'utf8')) as string[];
new Run(
  options,
  requests.map((request) => Buffer.from(request)),
).start();
