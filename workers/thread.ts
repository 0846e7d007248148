/**
 * What a worker thread hears of the request thread, and how it answers. Hands on request bodies and replies, which may
 * hold plaintext, and keeps none of them: a reply's bytes are transferred, so that they are moved away and not copied.
 */
import { setImmediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { Batch, BatchResult, ThreadMessage } from './messages.ts';

/**
 * The function that piscina calls with every message: runs a batch, several at once where they wait for something, and
 * hands a channel to another thread to `connect`. Where `run` rejects, which is not foreseen, the request thread ends this
 * thread and starts another.
 */
export function serveThread(
  run: (batch: Batch) => Promise<BatchResult>,
  connect: (port: MessagePort) => void,
): (message: ThreadMessage) => Promise<object | undefined> {
  return async (message) => {
    if (message.kind === 'batch') return moved(await run(message.batch));
    if (message.kind === 'peer') connect(message.port);
    // Twice: what is queued while the loop goes round is called in the next round.
    if (message.kind === 'rest') for (let round = 0; round < 2; round++) await setImmediate();
    return undefined;
  };
}

/** What piscina takes for a result that is moved. */
function moved(result: BatchResult): object {
  return move({ [transferableSymbol]: [result.bytes.buffer], [valueSymbol]: result });
}
