/** This process's keeper, for those who have it start and end threads. */
import type { MessagePort } from 'node:worker_threads';
import { createKeeper, type News, type Order } from './keeper.ts';

/** Where first.cts leaves the port to the keeper's thread. It leads to nothing but what an Order says. */
const KEEPER = Symbol.for('maestrovault.keeper');

type Give = (order: Order, transfer: readonly MessagePort[]) => void;

let link: Give | null = null;
let ids = 0;
const ended = new Map<number, (reason: string) => void>();
let onUnwatched: () => void = () => {};

function hear(news: News): void {
  if (news.kind === 'unwatched') {
    onUnwatched();
    return;
  }
  const tell = ended.get(news.id);
  ended.delete(news.id);
  tell?.(news.reason);
}

/** Where there is no thread for it, in this one. */
function open(): Give {
  const port = (globalThis as { [KEEPER]?: MessagePort })[KEEPER];
  if (port === undefined) return createKeeper(hear, process.permission !== undefined);
  // What waits for a thread holds that thread's own port.
  port.on('message', hear).unref();
  return (order, transfer) => port.postMessage(order, [...transfer]);
}

function give(order: Order, transfer: readonly MessagePort[] = []): void {
  link ??= open();
  link(order, transfer);
}

/** A number for threads that are to know each other. */
export function createGroup(): number {
  return ++ids;
}

/** Starts a thread; `onEnd` is told once why it ended. Returns how to end it. */
export function startThread(
  order: Omit<Order & { kind: 'start' }, 'kind' | 'id'>,
  onEnd: (reason: string) => void,
): () => void {
  const id = ++ids;
  ended.set(id, onEnd);
  give({ kind: 'start', id, ...order }, [order.port]);
  return () => give({ kind: 'end', id });
}

/** Starts the thread that ends a stuck process (watchdog.ts); `onFail`: it cannot run. */
export function startWatching(shared: SharedArrayBuffer, onFail: () => void): void {
  onUnwatched = onFail;
  give({ kind: 'watch', shared });
}
