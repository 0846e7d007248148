/** The memory of the daemon's process, idle and after a minute of load, beside that of the bare server in the same state. */

import { setTimeout as delay } from 'node:timers/promises';
import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { exchange } from '../exchange.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import { canReadMemory, residentMegabytes } from '../memory-of.ts';
import { stopProcess } from '../processes.ts';
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

export async function measureMemory({ folder, settings, vaults }: Bench): Promise<Row[]> {
  const idle = { what: 'memory, idle', target: { atMost: 1.4 } };
  const loaded = { what: `memory after ${settings.memoryMs / 1000} s of load`, target: { atMost: 1.8 } };
  if (!canReadMemory)
    return [idle, loaded].map((row) => ({ ...row, measured: 'not measured: no /proc here', figure: null }));
  const daemon = await vaults.get(KILOBYTE_SECRETS);
  // A new daemon, as after login, without memory that earlier parts left.
  await daemon.restart();
  const request = getOne(daemon, KILOBYTE_SECRETS);
  const bare = await startBareServer(folder, await exchange(daemon.socketPath, request));
  await exchange(bare.socketPath, request);
  const load = async ({ socketPath }: Measured) => {
    const run = prepareLoad(folder, {
      socketPath,
      connections: CONNECTIONS,
      requests: [request],
      status: 200,
    });
    await run(settings.memoryMs);
  };
  const compareAfter = (work: (measured: Measured) => Promise<unknown>) => {
    const measure = (measured: Measured) => async () => {
      await work(measured);
      return residentMegabytes(measured.pid);
    };
    const { socketPath, process } = bare;
    return compare(ROUNDS, measure(daemon), measure({ socketPath, pid: process.pid ?? 0 }));
  };
  try {
    const shared = { beside: 'bare', format: megabytes };
    return [
      compareRow({ ...idle, ...shared }, await compareAfter(() => delay(SETTLING_MS))),
      compareRow({ ...loaded, ...shared }, await compareAfter(load)),
    ];
  } finally {
    await stopProcess(bare.process);
  }
}
