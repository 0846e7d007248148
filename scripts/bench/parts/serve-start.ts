/** The time from starting `mav serve` to its first answered health check, beside `node -e 0`. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { smallSecrets } from '../fillings.ts';
import { timeNode } from '../processes.ts';
import { compareRow, grouped, milliseconds, type Row } from '../row.ts';

export async function measureServeStart({ settings, vaults }: Bench): Promise<Row[]> {
  const daemon = await vaults.get(smallSecrets(settings.listed));
  const start = async () => {
    await daemon.stop();
    const startedAt = performance.now();
    await daemon.start();
    return performance.now() - startedAt;
  };
  // The first run is not counted, because it finds nothing in the system's caches.
  await start();
  const comparison = await compare(settings.pairs, start, () => timeNode(['-e', '0'], daemon.env));
  const what = `mav serve, ${grouped(settings.listed)} secrets`;
  const target = { atMost: 6 };
  return [compareRow({ what, beside: 'node -e 0', format: milliseconds, target }, comparison)];
}
