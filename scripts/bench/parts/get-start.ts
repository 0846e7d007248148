/**
 * Measures what short commands take from start to end, as they are installed, beside `node -e 0` on the same Node. Their output
 * goes into a pipe.
 */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { BIN, type Daemon, MAV } from '../daemon.ts';
import { FEW_SECRETS } from '../fillings.ts';
import { timeNode, timeProgram } from '../processes.ts';
import { compareRow, milliseconds, type Row, type Target } from '../row.ts';
import { sampleSecret } from '../sample-secrets.ts';

const NOTHING = ['-e', '0'];
const GET_TARGET: Target = { atMost: 0.5 };
const OTHER_TARGET: Target = { atMost: 1.4 };

interface Started {
  readonly what: string;
  readonly command: readonly string[];
  readonly target?: Target;
}

export async function measureGetStart({ settings, vaults }: Bench): Promise<Row[]> {
  const daemon = await vaults.get(FEW_SECRETS);
  const { name, environment } = sampleSecret(0, FEW_SECRETS.count, FEW_SECRETS.valueSize);
  const get = ['get', name, '--env', environment];
  const served: Started[] = [
    { what: 'mav get', command: [MAV, ...get], target: GET_TARGET },
    { what: 'mav get, by the program', command: [process.execPath, BIN, ...get], target: OTHER_TARGET },
    { what: 'mav version', command: [MAV, 'version'], target: OTHER_TARGET },
    { what: 'mav search', command: [MAV, 'search', name], target: OTHER_TARGET },
    { what: 'mav set', command: [MAV, 'set', 'written', '--value', 'v'], target: OTHER_TARGET },
  ];
  const rows: Row[] = [];
  for (const started of served) rows.push(await measure(daemon, settings.pairs, started));
  await daemon.stop();
  rows.push(
    await measure(daemon, settings.pairs, { what: 'mav get without a daemon', command: [MAV, ...get] }),
  );
  await daemon.start();
  return rows;
}

async function measure({ env }: Daemon, pairs: number, { command, ...described }: Started): Promise<Row> {
  // Not counted: at their first run neither is in the system's caches.
  timeProgram(command, env);
  timeNode(NOTHING, env);
  const comparison = await compare(
    pairs,
    () => timeProgram(command, env),
    () => timeNode(NOTHING, env),
  );
  return compareRow({ ...described, beside: 'node -e 0', format: milliseconds }, comparison);
}
