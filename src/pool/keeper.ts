/**
 * Who starts and ends the worker threads, and gives readers and writers the channels over which they share the keyring.
 * In the closed daemon that is a thread of its own (keeper-thread.ts), which is started before any dependency is loaded
 * and loads none: no object that the request thread can get at leads to those channels, and afterwards the request thread
 * may start no threads at all. Elsewhere it runs in the thread that asks.
 */
import { writeSync } from 'node:fs';
import { extname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { WorkerOptions } from '../../workers/messages.ts';
import { startWatchdog } from './watchdog-thread.ts';

export type Role = 'reader' | 'writer';

/** What the keeper is asked. Threads of one group are told of each other. */
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

/** What it tells. `reason`: the kind of error or the exit code. */
export type News =
  | { readonly kind: 'ended'; readonly id: number; readonly reason: string }
  | { readonly kind: 'unwatched' };

interface Kept {
  readonly id: number;
  readonly worker: Worker;
  readonly group: number;
  readonly role: Role;
}

/**
 * Under Node's permission model a thread has its own. A reader reads files, no more. The writer is outside of it: it
 * makes and destroys key files, for which the model cannot permit fsync, and asks the keychain in a process of its own.
 */
const FLAGS: Readonly<Record<Role, string[]>> = {
  reader: ['--permission', '--allow-addons', '--allow-fs-read=*', '--disable-warning=SecurityWarning'],
  writer: [],
};
const STANDARD_ERROR = 2;

/** .ts when run from source, .js when built: the compiler rewrites imports, but not this. */
export function locateThread(role: Role): URL {
  return new URL(`../../workers/${role}${extname(import.meta.url)}`, import.meta.url);
}

/** Returns what carries out an order. `isClosed`: the threads get permissions, and print past this one. */
export function createKeeper(tell: (news: News) => void, isClosed: boolean): (order: Order) => void {
  const threads = new Map<number, Kept>();
  return (order) => {
    if (order.kind === 'end') void threads.get(order.id)?.worker.terminate();
    else if (order.kind === 'watch') startWatchdog(order.shared, () => tell({ kind: 'unwatched' }));
    else startThread(order, threads, isClosed, tell);
  };
}

function startThread(
  { id, group, role, options, port }: Order & { kind: 'start' },
  threads: Map<number, Kept>,
  isClosed: boolean,
  tell: (news: News) => void,
): void {
  const isOther = (other: Kept) => other.group === group && other.role !== role;
  const others = [...threads.values()].filter(isOther);
  const channels = others.map((other) => ({ other, ...new MessageChannel() }));
  const peers = channels.map(({ other, port1 }) => ({ id: other.id, port: port1 }));
  let worker: Worker;
  try {
    worker = new Worker(locateThread(role), {
      workerData: { ...options, role, port, peers },
      transferList: [port, ...channels.map(({ port1 }) => port1)],
      ...(isClosed ? { execArgv: FLAGS[role], stdout: true, stderr: true } : {}),
    });
  } catch (error) {
    tell({ kind: 'ended', id, reason: describeError(error) });
    return;
  }
  threads.set(id, { id, worker, group, role });
  for (const { other, port2 } of channels) other.worker.postMessage({ id, port: port2 }, [port2]);
  if (isClosed)
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (bytes: Uint8Array) => writeSync(STANDARD_ERROR, bytes));
  let reason: string | null = null;
  worker.once('error', (error) => {
    reason = describeError(error);
  });
  worker.once('exit', (code) => {
    threads.delete(id);
    // A channel that it was handed at its end was never its own, and does not close by itself.
    for (const other of [...threads.values()].filter(isOther)) other.worker.postMessage({ id, port: null });
    tell({ kind: 'ended', id, reason: reason ?? `exit ${code}` });
  });
}

/** An error's name and code: its message may quote what it was about. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name;
}
