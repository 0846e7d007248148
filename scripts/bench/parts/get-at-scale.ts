/** GETs of random secrets of a large vault, beside GETs of a small one. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { FEW_SECRETS, smallSecrets } from '../fillings.ts';
import { getRandom } from '../requests.ts';
import { compareRow, grouped, perSecond, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';
import type { Filling } from '../vaults.ts';

const CONNECTIONS = 64;

export async function measureGetAtScale(bench: Bench): Promise<Row[]> {
  const { rounds, loadMs, secrets } = bench.settings;
  const [many, few] = [
    await prepareGets(bench, smallSecrets(secrets)),
    await prepareGets(bench, FEW_SECRETS),
  ];
  const comparison = await compare(
    rounds,
    async () => (await many(loadMs)).perSecond,
    async () => (await few(loadMs)).perSecond,
  );
  const what = `GET, ${grouped(secrets)} secrets`;
  const beside = `${grouped(FEW_SECRETS.count)}:`;
  return [compareRow({ what, beside, format: perSecond, target: { atLeast: 0.9 } }, comparison)];
}

async function prepareGets(
  { folder, vaults }: Bench,
  filling: Filling,
): Promise<ReturnType<typeof prepareLoad>> {
  const daemon = await vaults.get(filling);
  const { socketPath } = daemon;
  const requests = getRandom(daemon, filling);
  return prepareLoad(folder, { socketPath, connections: CONNECTIONS, requests, status: 200 });
}
