/** The memory of the daemon's process after a minute of load, beside that of the bare server after the same load. */

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

export async function measureMemory({ folder, settings, vaults }: Bench): Promise<Row[]> {
  const what = `memory after ${settings.memoryMs / 1000} s of load`;
  const target = { atMost: 2.5 };
  if (!canReadMemory) return [{ what, measured: 'not measured: no /proc here', figure: null, target }];
  const daemon = await vaults.get(KILOBYTE_SECRETS);
  // A new daemon, as after login, without memory that earlier parts left.
  await daemon.restart();
  const request = getOne(daemon, KILOBYTE_SECRETS);
  const bare = await startBareServer(folder, await exchange(daemon.socketPath, request));
  const measure = (socketPath: string, pid: number) => async () => {
    const load = { socketPath, connections: CONNECTIONS, requests: [request], status: 200 };
    await prepareLoad(folder, load)(settings.memoryMs);
    return residentMegabytes(pid);
  };
  try {
    const comparison = await compare(
      ROUNDS,
      measure(daemon.socketPath, daemon.pid),
      measure(bare.socketPath, bare.process.pid ?? 0),
    );
    return [compareRow({ what, beside: 'bare', format: megabytes, target }, comparison)];
  } finally {
    await stopProcess(bare.process);
  }
}
