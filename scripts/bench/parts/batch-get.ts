/** `batch-get` of a hundred secrets, beside single GETs of the same secrets. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { exchange } from '../exchange.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import type { Request } from '../request.ts';
import { getRandom } from '../requests.ts';
import { compareRow, perSecond, type Row, type Target } from '../row.ts';
import { prepareLoad } from '../run-load.ts';
import { sampleSecret } from '../sample-secrets.ts';

const PER_REQUEST = 100;
const BATCHES = 200;

/**
 * The target is about a client that needs a hundred secrets, with one connection. With 64 connections single GETs are batched
 * too, and both cost mostly cryptography, so that row is for information.
 */
export async function measureBatchGet(bench: Bench): Promise<Row[]> {
  return [await measureWith(bench, 1, { atLeast: 5 }), await measureWith(bench, 64)];
}

async function measureWith(
  { folder, settings, vaults }: Bench,
  connections: number,
  target?: Target,
): Promise<Row> {
  const { rounds, loadMs } = settings;
  const daemon = await vaults.get(KILOBYTE_SECRETS);
  const batches = getBatches(daemon);
  await checkAnswer(daemon, batches[0] as Request);
  const load = { socketPath: daemon.socketPath, connections, status: 200 };
  const loadBatches = prepareLoad(folder, { ...load, requests: batches });
  const loadSingle = prepareLoad(folder, { ...load, requests: getRandom(daemon, KILOBYTE_SECRETS) });
  const comparison = await compare(
    rounds,
    async () => (await loadBatches(loadMs)).perSecond * PER_REQUEST,
    async () => (await loadSingle(loadMs)).perSecond,
  );
  const what = `batch-get of 100, ${connections} connection${connections === 1 ? '' : 's'}`;
  const described = {
    what,
    beside: 'single',
    format: perSecond,
    ...(target === undefined ? {} : { target }),
  };
  return compareRow(described, comparison);
}

function getBatches({ token }: Daemon): Request[] {
  return Array.from({ length: BATCHES }, () => {
    const refs = Array.from({ length: PER_REQUEST }, randomRef);
    return { method: 'POST', path: '/v1/secrets/batch-get', token, body: JSON.stringify({ refs }) };
  });
}

function randomRef(): { name: string; environment: string } {
  const { count, valueSize } = KILOBYTE_SECRETS;
  const { name, environment } = sampleSecret(Math.floor(Math.random() * count), count, valueSize);
  return { name, environment };
}

/** Throws Error unless everything that was asked for is there, because an answer full of errors would be quick. */
async function checkAnswer({ socketPath }: Daemon, request: Request): Promise<void> {
  const { secrets } = JSON.parse((await exchange(socketPath, request)).body.toString());
  const found = secrets.filter((secret: { value?: unknown }) => typeof secret.value === 'string').length;
  if (found !== PER_REQUEST) throw new Error(`of ${PER_REQUEST} secrets batch-get answered ${found}`);
}
