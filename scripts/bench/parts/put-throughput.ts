/** An authenticated PUT, which is answered when it is on disk, beside a bare loop of one transaction for each write. */
import { join } from 'node:path';
import type { BareWriterOptions } from '../bare-writer.ts';
import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import { runProgram } from '../processes.ts';
import { putInTurn } from '../requests.ts';
import { compareRow, milliseconds, perSecond, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';
import { measureSyncMs } from '../sync-time.ts';

const CONNECTIONS = 64;
const ROWS = 1_000;

export async function measurePutThroughput({ folder, settings, vaults }: Bench): Promise<Row[]> {
  const { rounds, loadMs } = settings;
  const { valueSize } = KILOBYTE_SECRETS;
  const daemon = await vaults.get(KILOBYTE_SECRETS);
  const load = prepareLoad(folder, {
    socketPath: daemon.socketPath,
    connections: CONNECTIONS,
    requests: putInTurn(daemon, ROWS, valueSize),
    status: 201,
  });
  // In the same folder as the vault, so on the same file system and the same disk.
  const databasePath = join(folder, 'bare.db');
  const bareWriter: BareWriterOptions = { databasePath, durationMs: loadMs, rows: ROWS, valueSize };
  const comparison = await compare(
    rounds,
    async () => (await load(loadMs)).perSecond,
    async () => (await runProgram<{ perSecond: number }>('bare-writer.ts', bareWriter)).perSecond,
  );
  // The slower a sync is, the more it gains that writes share one.
  const what = `PUT, 64 connections, a sync takes ${milliseconds(measureSyncMs(folder))}`;
  return [compareRow({ what, beside: 'bare loop', format: perSecond, target: { atLeast: 3 } }, comparison)];
}
