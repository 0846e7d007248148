/** An authenticated GET of a 1 kB secret, beside a bare node:http server that answers the same bytes. */

import { type Comparison, compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { exchange } from '../exchange.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import type { LoadResult } from '../load.ts';
import { stopProcess } from '../processes.ts';
import { getOne } from '../requests.ts';
import { compareRow, milliseconds, perSecond, type Row } from '../row.ts';
import { startBareServer } from '../run-bare-server.ts';
import { prepareLoad } from '../run-load.ts';

export async function measureGetThroughput(bench: Bench): Promise<Row[]> {
  const described = {
    what: 'GET, 64 connections',
    beside: 'bare',
    format: perSecond,
    target: { atLeast: 0.5 },
  };
  return [compareRow(described, await compareWithBare(bench, 64, (result) => result.perSecond))];
}

export async function measureGetLatency(bench: Bench): Promise<Row[]> {
  const described = {
    what: 'GET, 1 connection, p50',
    beside: 'bare',
    format: milliseconds,
    target: { atMost: 3 },
  };
  return [compareRow(described, await compareWithBare(bench, 1, (result) => result.p50Ms))];
}

async function compareWithBare(
  { folder, settings, vaults }: Bench,
  connections: number,
  figure: (result: LoadResult) => number,
): Promise<Comparison> {
  const daemon = await vaults.get(KILOBYTE_SECRETS);
  const request = getOne(daemon, KILOBYTE_SECRETS);
  const bare = await startBareServer(folder, await exchange(daemon.socketPath, request));
  const load = { connections, requests: [request], status: 200 };
  const loadVault = prepareLoad(folder, { ...load, socketPath: daemon.socketPath });
  const loadBare = prepareLoad(folder, { ...load, socketPath: bare.socketPath });
  const { rounds, loadMs } = settings;
  try {
    return await compare(
      rounds,
      async () => figure(await loadVault(loadMs)),
      async () => figure(await loadBare(loadMs)),
    );
  } finally {
    await stopProcess(bare.process);
  }
}
