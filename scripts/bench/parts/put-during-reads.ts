/** The p99 of a PUT while many connections read, beside that of a PUT alone. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import { getOne, putInTurn } from '../requests.ts';
import { compareRow, milliseconds, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';

const READERS = 64;
const WRITERS = 4;
const WRITTEN_SECRETS = 1_000;
/** Time for which the readers run before the first counted PUT and after the last one. */
const READERS_LONGER_MS = 500;

export async function measurePutDuringReads({ folder, settings, vaults }: Bench): Promise<Row[]> {
  const { rounds, loadMs } = settings;
  const daemon = await vaults.get(KILOBYTE_SECRETS);
  const { socketPath } = daemon;
  const requests = putInTurn(daemon, WRITTEN_SECRETS, KILOBYTE_SECRETS.valueSize);
  const put = prepareLoad(folder, { socketPath, connections: WRITERS, requests, status: 201 });
  const get = prepareLoad(folder, {
    socketPath,
    connections: READERS,
    requests: [getOne(daemon, KILOBYTE_SECRETS)],
    status: 200,
  });
  const comparison = await compare(
    rounds,
    async () => {
      const [result] = await Promise.all([put(loadMs), get(loadMs + READERS_LONGER_MS)]);
      return result.p99Ms;
    },
    async () => (await put(loadMs)).p99Ms,
  );
  const what = 'PUT p99 while 64 read';
  return [compareRow({ what, beside: 'alone', format: milliseconds, target: { atMost: 3 } }, comparison)];
}
