/** How the cost of a GET grows with the number of connections and with the size of the value. These rows have no target. */
import { median } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { exchange } from '../exchange.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import type { Request } from '../request.ts';
import { getOne } from '../requests.ts';
import { grouped, perSecond, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';

const CONNECTIONS = [1, 4, 16, 64, 256];
const VALUE_SIZES = [100, 10_000, 100_000, 1_000_000];
const CONNECTIONS_FOR_SIZES = 16;

export async function measureGrowth(bench: Bench): Promise<Row[]> {
  const daemon = await bench.vaults.get(KILOBYTE_SECRETS);
  const rows: Row[] = [];
  for (const connections of CONNECTIONS) {
    const request = getOne(daemon, KILOBYTE_SECRETS);
    rows.push(await measure(bench, daemon, request, connections, `GET of 1 kB, ${connections} at once`));
  }
  for (const size of VALUE_SIZES) {
    const request = await store(daemon, size);
    const what = `GET of ${grouped(size)} bytes, ${CONNECTIONS_FOR_SIZES} at once`;
    rows.push(await measure(bench, daemon, request, CONNECTIONS_FOR_SIZES, what));
  }
  return rows;
}

/** Stores a secret of this size, and returns the request that gets it. */
async function store({ token, socketPath }: Daemon, size: number): Promise<Request> {
  const path = `/v1/secrets/growth-${size}`;
  await exchange(socketPath, {
    method: 'PUT',
    path,
    token,
    body: JSON.stringify({ value: 'x'.repeat(size) }),
  });
  return { method: 'GET', path, token };
}

async function measure(
  { folder, settings }: Bench,
  { socketPath }: Daemon,
  request: Request,
  connections: number,
  what: string,
): Promise<Row> {
  const load = prepareLoad(folder, { socketPath, connections, requests: [request], status: 200 });
  const perSecondOfRounds: number[] = [];
  for (let round = 0; round < settings.rounds; round++)
    perSecondOfRounds.push((await load(settings.loadMs)).perSecond);
  return { what, measured: perSecond(median(perSecondOfRounds)), figure: null };
}
