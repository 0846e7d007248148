/** The connection to this process's keeper, which starts and ends threads. */
import type { MessagePort } from 'node:worker_threads';
import { createKeeper, type News, type Order } from './keeper.ts';

/** Where first.cts keeps the port to the keeper's thread. Nothing but orders can be sent through it. */
const KEEPER = Symbol.for('maestrovault.keeper');

type Give = (order: Order, transfer: readonly MessagePort[]) => void;

let link: Give | null = null;
let ids = 0;
const ended = new Map<number, (reason: string) => void>();
/** Threads that were told to end. Until they are reported to have ended, they keep this process alive. */
const ending = new Set<number>();
let onUnwatched: () => void = () => {};

function hear(news: News): void {
  if (news.kind === 'unwatched') {
    onUnwatched();
    return;
  }
  const tell = ended.get(news.id);
  ended.delete(news.id);
  ending.delete(news.id);
  if (ending.size === 0) findPort()?.unref();
  tell?.(news.reason);
}

/** Returns undefined where the keeper has no thread of its own. */
function findPort(): MessagePort | undefined {
  return (globalThis as { [KEEPER]?: MessagePort })[KEEPER];
}

/** Where the keeper has no thread of its own, it runs in this one. */
function open(): Give {
  const port = findPort();
  if (port === undefined) return createKeeper(hear, process.permission !== undefined);
  // Unreferenced: a call that waits for a thread keeps that thread's own port alive.
  port.on('message', hear).unref();
  return (order, transfer) => port.postMessage(order, [...transfer]);
}

function give(order: Order, transfer: readonly MessagePort[] = []): void {
  link ??= open();
  link(order, transfer);
}

/** Returns the number of a new group. Threads of one group are told of each other. */
export function createGroup(): number {
  return ++ids;
}

/** Starts a thread. `onEnd` is called once, with the reason of its end. Returns a function that ends the thread. */
export function startThread(
  order: Omit<Order & { kind: 'start' }, 'kind' | 'id'>,
  onEnd: (reason: string) => void,
): () => void {
  const id = ++ids;
  ended.set(id, onEnd);
  give({ kind: 'start', id, ...order }, [order.port]);
  return () => {
    if (!ended.has(id)) return;
    ending.add(id);
    findPort()?.ref();
    give({ kind: 'end', id });
  };
}

/** Has another thread end this process if it is stuck (watchdog.ts). `onFail` is called if that thread cannot run. */
export function startWatching(shared: SharedArrayBuffer, onFail: () => void): void {
  onUnwatched = onFail;
  give({ kind: 'watch', shared });
}
