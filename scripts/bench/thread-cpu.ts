/** The CPU time of a process by thread, as Linux counts it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export const canReadThreads = existsSync('/proc/self/schedstat');

/** CPU time in microseconds. */
export interface ThreadCpu {
  /** The main thread, which is the daemon's request thread. */
  readonly main: number;
  /** All worker threads: under a load of GETs only readers work, under a load of PUTs only the writer. */
  readonly workers: number;
  /** V8's and libuv's threads. */
  readonly helpers: number;
}

/** `comm` of the threads that Node starts for `worker_threads`. */
const WORKER = 'WorkerThread\n';
const NS_PER_US = 1_000;

export function readThreadCpu(pid: number): ThreadCpu {
  const cpu = { main: 0, workers: 0, helpers: 0 };
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${id}`;
    const us = Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ', 1)[0]) / NS_PER_US;
    if (id === String(pid)) cpu.main += us;
    else if (readFileSync(`${folder}/comm`, 'utf8') === WORKER) cpu.workers += us;
    else cpu.helpers += us;
  }
  return cpu;
}

/** Returns what `run` cost the process, for each of the requests that it resolves with. */
export async function measureThreadCpu(pid: number, run: () => Promise<number>): Promise<ThreadCpu> {
  const before = readThreadCpu(pid);
  const requests = await run();
  const after = readThreadCpu(pid);
  return {
    main: (after.main - before.main) / requests,
    workers: (after.workers - before.workers) / requests,
    helpers: (after.helpers - before.helpers) / requests,
  };
}
