/** This process's keeper, for those who have it start and end threads. */
import type { MessagePort } from 'node:worker_threads';
import { createKeeper, type News, type Order } from './keeper.ts';

/** Where first.cts leaves the port to the keeper's thread. It leads to nothing but what an Order says. */
const KEEPER = Symbol.for('maestrovault.keeper');

type Give = (order: Order, transfer: readonly MessagePort[]) => void;

let link: Give | null = null;
let ids = 0;
const ended = new Map<number, (reason: string) => void>();
/** Threads that were told to end: their news is waited for, and nothing else may keep this process alive by then. */
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

/** undefined where there is no thread for it. */
function findPort(): MessagePort | undefined {
  return (globalThis as { [KEEPER]?: MessagePort })[KEEPER];
}

/** Where there is no thread for it, in this one. */
function open(): Give {
  const port = findPort();
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
  return () => {
    if (!ended.has(id)) return;
    ending.add(id);
    findPort()?.ref();
    give({ kind: 'end', id });
  };
}

/** Starts the thread that ends a stuck process (watchdog.ts); `onFail`: it cannot run. */
export function startWatching(shared: SharedArrayBuffer, onFail: () => void): void {
  onUnwatched = onFail;
  give({ kind: 'watch', shared });
}
