/** The time that `mav get` takes from start to end, beside `node -e 0` on the same Node. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { BIN } from '../daemon.ts';
import { FEW_SECRETS } from '../fillings.ts';
import { timeNode } from '../processes.ts';
import { compareRow, type Described, milliseconds, type Row } from '../row.ts';
import { sampleSecret } from '../sample-secrets.ts';

export async function measureGetStart({ settings, vaults }: Bench): Promise<Row[]> {
  const daemon = await vaults.get(FEW_SECRETS);
  const { name, environment } = sampleSecret(0, FEW_SECRETS.count, FEW_SECRETS.valueSize);
  const get = [BIN, 'get', name, '--env', environment];
  const measure = async (described: Pick<Described, 'what' | 'target'>) => {
    // The first run of each is not counted, because it finds nothing in the system's caches.
    for (const args of [get, ['-e', '0']]) timeNode(args, daemon.env);
    const comparison = await compare(
      settings.pairs,
      () => timeNode(get, daemon.env),
      () => timeNode(['-e', '0'], daemon.env),
    );
    return compareRow({ ...described, beside: 'node -e 0', format: milliseconds }, comparison);
  };
  const served = await measure({ what: 'mav get', target: { atMost: 1.6 } });
  await daemon.stop();
  const alone = await measure({ what: 'mav get without a daemon' });
  await daemon.start();
  return [served, alone];
}
