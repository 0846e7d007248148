/**
 * The load: keep-alive connections that each send one request, wait for its whole answer, and send the next. A process
 * of its own, so that it takes the same share of the machine whoever it talks to. The argument is a JSON object
 * (`LoadOptions`); the result goes to standard output as one JSON line (`LoadResult`).
 *
 * Not autocannon: it counts latencies in whole milliseconds, and an answer here takes a tenth of one.
 */
import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly socketPath: string;
  readonly connections: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  /** The request's head and body, as sent. */
  readonly request: string;
  /** The status that every answer must have. */
  readonly status: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const NS_PER_US = 1_000n;

function run(options: LoadOptions): void {
  const request = Buffer.from(options.request);
  const statusLine = `HTTP/1.1 ${options.status} `;
  const latencies: number[] = [];
  const startedAt = performance.now();
  const countFrom = startedAt + options.warmupMs;
  const endAt = countFrom + options.durationMs;
  let open = options.connections;

  const drive = (socket: Socket): void => {
    let sentAt = 0n;
    let pending: Buffer<ArrayBuffer> = Buffer.alloc(0);
    const send = () => {
      sentAt = process.hrtime.bigint();
      socket.write(request);
    };
    socket.on('connect', send);
    socket.on('data', (chunk: Buffer<ArrayBuffer>) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const size = answerSize(pending);
      if (size === null || pending.length < size) return;
      if (pending.toString('latin1', 0, statusLine.length) !== statusLine) {
        throw new Error(`unexpected answer: ${pending.toString('latin1', 0, 64).split('\r\n', 1)[0]}`);
      }
      pending = pending.subarray(size);
      const now = performance.now();
      if (now >= countFrom && now < endAt)
        latencies.push(Number((process.hrtime.bigint() - sentAt) / NS_PER_US));
      if (now < endAt) send();
      else {
        socket.destroy();
        open -= 1;
        if (open === 0) report(latencies, options.durationMs);
      }
    });
  };
  for (let i = 0; i < options.connections; i++) drive(connect(options.socketPath));
}

/** Head and body together, or null while the head is not complete. */
function answerSize(bytes: Buffer): number | null {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1];
  return headEnd + HEAD_END.length + Number(length ?? 0);
}

function report(latencies: number[], durationMs: number): void {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const result: LoadResult = {
    requestsPerSecond: (sorted.length * 1000) / durationMs,
    p50Us: at(0.5),
    p99Us: at(0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

run(JSON.parse(process.argv[2] ?? '{}') as LoadOptions);
