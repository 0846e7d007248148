/**
 * How a worker thread takes messages from the request thread and sends their results back. Hands on request bodies and
 * replies, which may hold plaintext, and keeps none of them: a reply's bytes are transferred, so that they are moved away
 * and not copied.
 */
import { setImmediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { decodeBatch, encodeResult } from './flat-batch.ts';
import type {
  Batch,
  BatchResult,
  PeerChannels,
  ThreadMessage,
  ThreadResult,
  ThreadTask,
} from './messages.ts';

type RunBatch = (batch: Batch, isLong: boolean) => Promise<BatchResult>;

/** What a thread does with what comes to it. */
interface Thread {
  readonly run: RunBatch;
  /** Gets the channels to each thread of which the keeper tells. */
  readonly connect: (channels: PeerChannels) => void;
  /** Called before the thread is ended. Throws nothing. */
  readonly rest: () => void;
}

/** How long messages that a thread sent before its end may take to arrive. */
const LAST_WORDS_MS = 50;

/**
 * The function that piscina calls with a task of the keeper. It answers the request thread's messages with `run`, several
 * at once if they wait for something. No channel to another thread
 * comes over the channel of requests, so the request thread cannot pose as a worker thread. If `run` rejects, which is not
 * foreseen, the request thread ends this thread and starts another.
 */
export function serveThread({ run, connect, rest }: Thread): (task: ThreadTask) => void {
  const known = new Map<number, PeerChannels>();
  const meet = (id: number, channels: PeerChannels | null) => {
    const before = known.get(id);
    known.delete(id);
    // Their last messages are still delivered.
    if (before !== undefined) setTimeout(() => closeChannels(before), LAST_WORDS_MS).unref();
    if (channels === null) return;
    known.set(id, channels);
    connect(channels);
  };
  return (task) => {
    if (task.kind === 'peer') meet(task.id, task.channels);
    else serveRequests(task.port, run, rest);
  };
}

function closeChannels({ keyring, audit }: PeerChannels): void {
  keyring.close();
  audit.close();
}

function serveRequests(port: MessagePort, run: RunBatch, rest: Thread['rest']): void {
  const handle = async ([id, content, isLong]: ThreadMessage): Promise<void> => {
    let result: BatchResult | null = { bytes: new Uint8Array(), replies: [] };
    // Twice, because a callback that is queued during one round of the loop is called in the next.
    if (content === 'rest') rest();
    if (content === 'rest') for (let round = 0; round < 2; round++) await setImmediate();
    else if (content !== 'hello') result = await run(decodeBatch(content), isLong).catch(() => null);
    const message: ThreadResult = [id, result === null ? null : encodeResult(result)];
    port.postMessage(message, result === null ? [] : [result.bytes.buffer]);
  };
  port.on('message', (message: ThreadMessage) => void handle(message));
}
