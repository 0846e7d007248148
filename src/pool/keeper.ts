/**
 * The keeper starts and ends the worker threads, and gives readers and writers the channels over which they share the
 * keyring. In the closed daemon it is a thread of its own (keeper-thread.ts), which is started before any dependency is
 * loaded and loads only piscina. So no object that the request thread can reach leads to those channels, and afterwards the
 * request thread may start no threads at all. Elsewhere the keeper runs in the thread that calls it.
 *
 * Each thread has a pool of its own. A pool of several threads does not replace a thread that died while it loaded, never
 * answers tasks that wait for that thread, does not report threads that end between two tasks, and does not say which thread
 * gets a task. Requests bypass the pool, over a channel from the request thread to the worker.
 */
import { extname } from 'node:path';
import { isMainThread, MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ThreadTask, WorkerOptions } from '../../workers/messages.ts';
import { watch } from './watch.ts';

export type Role = 'reader' | 'writer';

/** What the keeper is to do. Threads of one group are told of each other. */
export type Order =
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly group: number;
      readonly role: Role;
      readonly options: WorkerOptions;
      /** The thread's end of the channel for its requests. */
      readonly port: MessagePort;
    }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'watch'; readonly shared: SharedArrayBuffer };

/** What the keeper reports. `reason`: the kind of error or the exit code. */
export type News =
  | { readonly kind: 'ended'; readonly id: number; readonly reason: string }
  | { readonly kind: 'unwatched' };

interface Kept {
  readonly id: number;
  readonly pool: Piscina;
  readonly group: number;
  readonly role: Role;
}

/**
 * Under Node's permission model a thread has permissions of its own. A reader may only read files. The writer is outside of
 * the model: it makes and destroys key files, for which the model cannot permit fsync, and asks the keychain in a process of
 * its own.
 */
const FLAGS: Readonly<Record<Role, string[]>> = {
  reader: ['--permission', '--allow-addons', '--allow-fs-read=*', '--disable-warning=SecurityWarning'],
  writer: [],
};
/** More tasks than are ever under way on one thread. */
const TASKS = 4_096;
const MINUTE_MS = 60_000;
/** A thread that only watches takes 5 MB of memory with these limits, as measured. */
const WATCHING_HEAP_MB = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/** Returns the file of a thread: .ts when run from source, .js when built. The compiler rewrites imports, but not this. */
export function locateThread(role: Role): URL {
  return new URL(`../../workers/${role}${extname(import.meta.url)}`, import.meta.url);
}

/** Returns a function that carries out orders. `isClosed`: the threads get permissions of their own. */
export function createKeeper(tell: (news: News) => void, isClosed: boolean): (order: Order) => void {
  const threads = new Map<number, Kept>();
  return (order) => {
    if (order.kind === 'end') void threads.get(order.id)?.pool.threads[0]?.terminate();
    else if (order.kind === 'watch') startWatching(order.shared, () => tell({ kind: 'unwatched' }));
    else startThread(order, threads, isClosed, tell);
  };
}

/** Watches the request thread from this one, or from a thread of its own if this is the request thread. */
function startWatching(shared: SharedArrayBuffer, onFail: () => void): void {
  if (!isMainThread) {
    watch(shared);
    return;
  }
  const file = new URL(`../pool/watch-thread${extname(import.meta.url)}`, import.meta.url);
  try {
    new Worker(file, { env: {}, execArgv: [], resourceLimits: WATCHING_HEAP_MB, workerData: shared })
      .on('error', onFail)
      .unref();
  } catch {
    onFail();
  }
}

function startThread(
  { id, group, role, options, port }: Order & { kind: 'start' },
  threads: Map<number, Kept>,
  isClosed: boolean,
  tell: (news: News) => void,
): void {
  const listOthers = () =>
    [...threads.values()].filter((other) => other.group === group && other.role !== role);
  const onEnd = (reason: string) => {
    threads.delete(id);
    // A channel that the thread was handed at its end never became its own, and does not close by itself.
    for (const other of listOthers()) hand(other.pool, { kind: 'peer', id, channels: null });
    tell({ kind: 'ended', id, reason });
  };
  try {
    const pool = startPool(role, { ...options, role }, isClosed, onEnd);
    const thread: Kept = { id, pool, group, role };
    introduce(thread, listOthers());
    // Last, so that the thread has its peers before its first request.
    hand(pool, { kind: 'requests', port });
    threads.set(id, thread);
  } catch (error) {
    tell({ kind: 'ended', id, reason: describeError(error) });
  }
}

/** Hands a new thread, and each of the others, one end of each channel between the two. */
function introduce(thread: Kept, others: readonly Kept[]): void {
  for (const other of others) {
    const [keyring, audit] = [new MessageChannel(), new MessageChannel()];
    const [ours, theirs] = [
      { keyring: keyring.port1, audit: audit.port1 },
      { keyring: keyring.port2, audit: audit.port2 },
    ];
    hand(thread.pool, { kind: 'peer', id: other.id, channels: ours });
    hand(other.pool, { kind: 'peer', id: thread.id, channels: theirs });
  }
}

/** Starts a pool of one thread. `onEnd` is called once. Throws where the system has no more threads to give. */
function startPool(
  role: Role,
  workerData: WorkerOptions & { readonly role: Role },
  isClosed: boolean,
  onEnd: (reason: string) => void,
): Piscina {
  const pool = createPool(role, workerData, isClosed);
  const [worker] = pool.threads;
  if (worker === undefined) throw new TypeError('it was not started');
  let isTold = false;
  const abandon = (reason: string) => {
    void pool.destroy();
    // An exit comes after an error, too.
    if (!isTold) onEnd(reason);
    isTold = true;
  };
  // Before the pool's own listeners, which would start another thread in it.
  worker.prependListener('error', (error) => abandon(describeError(error)));
  worker.prependListener('exit', (code) => abandon(`exit ${code}`));
  // The error has been reported by then; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}

function createPool(role: Role, workerData: WorkerOptions, isClosed: boolean): Piscina {
  return new Piscina({
    filename: locateThread(role).href,
    ...(isClosed ? { execArgv: FLAGS[role] } : {}),
    minThreads: 1,
    maxThreads: 1,
    // minThreads = maxThreads: the thread is never idle out of the pool.
    idleTimeout: MINUTE_MS,
    concurrentTasksPerWorker: TASKS,
    // An idle thread must receive requests, and messages of the other threads about the keyring.
    atomics: 'disabled',
    maxQueue: TASKS,
    // The pool's own statistics are not read.
    recordTiming: false,
    // A reader goes on writing into the file of the audit log that a writer opened for it, even if that writer dies.
    trackUnmanagedFds: false,
    workerData,
  });
}

function hand(pool: Piscina, task: ThreadTask): void {
  const transfer = listPorts(task);
  // piscina's own name for the type of a transfer list resolves to another type under these compiler settings.
  pool.run(task, { transferList: transfer as never }).catch(() => {
    // The task did not arrive, and the thread at the other end of the channel must not wait for it.
    for (const port of transfer) port.close();
  });
}

function listPorts(task: ThreadTask): MessagePort[] {
  if (task.kind === 'requests') return [task.port];
  return task.channels === null ? [] : [task.channels.keyring, task.channels.audit];
}

/** Returns an error's name and code. Its message may quote what it was about. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name;
}
