/**
 * What a worker thread hears of the request thread, and how it answers. Hands on request bodies and replies, which may
 * hold plaintext, and keeps none of them: a reply's bytes are transferred, so that they are moved away and not copied.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import type { Batch, BatchResult, ThreadMessage, ThreadReply } from './messages.ts';

/**
 * Runs every batch that comes, several at once where they wait for something, and hands every channel to another thread
 * to `connect`. Where `run` rejects, which is not foreseen, the thread ends, and the request thread starts another.
 */
export function serveThread(
  run: (batch: Batch) => Promise<BatchResult>,
  connect: (port: MessagePort) => void,
): void {
  parentPort?.on('message', (message: ThreadMessage) => {
    if (message.kind === 'peer') connect(message.port);
    else void run(message.batch).then((result) => answer(message.id, result));
  });
  parentPort?.postMessage({ kind: 'ready' } satisfies ThreadReply);
}

function answer(id: number, result: BatchResult): void {
  parentPort?.postMessage({ kind: 'result', id, result } satisfies ThreadReply, [result.bytes.buffer]);
}
