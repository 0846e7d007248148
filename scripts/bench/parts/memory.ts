/** The memory of the daemon's process, idle and after a minute of load, beside that of the bare server in the same state. */

import { setTimeout as delay } from 'node:timers/promises';
import { type Comparison, compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { exchange } from '../exchange.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import { canReadMemory, residentMegabytes } from '../memory-of.ts';
import { stopProcess } from '../processes.ts';
import type { Request } from '../request.ts';
import { getOne } from '../requests.ts';
import { compareRow, megabytes, type Row } from '../row.ts';
import { startBareServer } from '../run-bare-server.ts';
import { prepareLoad } from '../run-load.ts';

const CONNECTIONS = 64;
/** One round is enough: it takes a minute, and other work on the machine does not change the memory. */
const ROUNDS = 1;
/** A daemon loads something more right after its start. */
const SETTLING_MS = 5_000;

/** A process that has answered its first request. */
interface Measured {
  readonly socketPath: string;
  readonly pid: number;
}

type Work = (measured: Measured) => Promise<unknown>;

export async function measureMemory(bench: Bench): Promise<Row[]> {
  const { folder, settings } = bench;
  const idle = { what: 'memory, idle', target: { atMost: 1.4 } };
  const loaded = { what: `memory after ${settings.memoryMs / 1000} s of load`, target: { atMost: 1.8 } };
  if (!canReadMemory)
    return [idle, loaded].map((row) => ({ ...row, measured: 'not measured: no /proc here', figure: null }));
  const { daemon, request } = await restartDaemon(bench);
  const bare = await startBareServer(folder, await exchange(daemon.socketPath, request));
  const reference = { socketPath: bare.socketPath, pid: bare.process.pid ?? 0 };
  await exchange(reference.socketPath, request);
  const load: Work = ({ socketPath }) =>
    prepareLoad(folder, { socketPath, connections: CONNECTIONS, requests: [request], status: 200 })(
      settings.memoryMs,
    );
  const shared = { beside: 'bare', format: megabytes };
  try {
    return [
      compareRow({ ...idle, ...shared }, await compareAfter(() => delay(SETTLING_MS), daemon, reference)),
      compareRow({ ...loaded, ...shared }, await compareAfter(load, daemon, reference)),
    ];
  } finally {
    await stopProcess(bare.process);
  }
}

/** Starts a new daemon, as after login, without memory that earlier parts left. */
async function restartDaemon({ vaults }: Bench): Promise<{ daemon: Daemon; request: Request }> {
  const daemon = await vaults.get(KILOBYTE_SECRETS);
  await daemon.restart();
  return { daemon, request: getOne(daemon, KILOBYTE_SECRETS) };
}

function compareAfter(work: Work, subject: Measured, reference: Measured): Promise<Comparison> {
  const measure = (measured: Measured) => async () => {
    await work(measured);
    return residentMegabytes(measured.pid);
  };
  return compare(ROUNDS, measure(subject), measure(reference));
}
