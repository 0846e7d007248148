/** A whole list without a limit: the daemon's memory for it, and how long other requests wait meanwhile. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { exchange } from '../exchange.ts';
import { smallSecrets } from '../fillings.ts';
import { canReadMemory, peakMegabytes, resetPeak, residentMegabytes } from '../memory-of.ts';
import { getRandom } from '../requests.ts';
import { compareRow, grouped, megabytes, milliseconds, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';
import type { Filling } from '../vaults.ts';

/** Only a few connections: clients that ask for a secret now and then, and not clients that take the whole machine. */
const CONNECTIONS = 4;

export async function measureListStream(bench: Bench): Promise<Row[]> {
  const filling = smallSecrets(bench.settings.listed);
  const daemon = await bench.vaults.get(filling);
  await checkList(daemon, filling);
  return [await measureMemory(bench, daemon, filling), await measureOthers(bench, daemon, filling)];
}

async function checkList(daemon: Daemon, { count }: Filling): Promise<void> {
  const listed = JSON.parse((await listAll(daemon)).toString()).length;
  if (listed !== count) throw new Error(`the list has ${listed} of ${count} secrets`);
}

async function listAll({ socketPath, token }: Daemon): Promise<Buffer> {
  return (await exchange(socketPath, { method: 'GET', path: '/v1/secrets', token })).body;
}

/** The maximum of all rounds: if an earlier list kept its memory, a later one seems to take little. */
async function measureMemory({ settings }: Bench, daemon: Daemon, { count }: Filling): Promise<Row> {
  const row = { what: `list of ${grouped(count)}: peak memory`, unit: ' MB', target: { atMost: 32 } };
  if (!canReadMemory) return { ...row, measured: 'not measured: no /proc here', figure: null };
  await daemon.restart();
  // The first requests load code. That memory is not the list's.
  await warmUp(daemon);
  const growths: number[] = [];
  const before = residentMegabytes(daemon.pid);
  for (let round = 0; round < settings.rounds; round++) {
    resetPeak(daemon.pid);
    const resident = residentMegabytes(daemon.pid);
    await listAll(daemon);
    growths.push(peakMegabytes(daemon.pid) - resident);
  }
  const measured = `more than ${megabytes(before)} before`;
  return { ...row, measured, figure: Math.max(...growths) };
}

async function measureOthers({ folder, settings }: Bench, daemon: Daemon, filling: Filling): Promise<Row> {
  const { rounds, loadMs } = settings;
  const load = prepareLoad(folder, {
    socketPath: daemon.socketPath,
    connections: CONNECTIONS,
    requests: getRandom(daemon, filling),
    status: 200,
  });
  const comparison = await compare(
    rounds,
    async () => (await whileListing(daemon, load(loadMs))).p99Ms,
    async () => (await load(loadMs)).p99Ms,
  );
  const what = `list of ${grouped(filling.count)}: others' p99`;
  return compareRow({ what, beside: 'idle', format: milliseconds, target: { atMost: 5 } }, comparison);
}

/** Reads one list after the other until the load is done. */
async function whileListing<Result>(daemon: Daemon, load: Promise<Result>): Promise<Result> {
  let isLoading = true;
  const done = () => {
    isLoading = false;
  };
  load.then(done, done);
  while (isLoading) await listAll(daemon);
  return load;
}

async function warmUp({ socketPath, token }: Daemon): Promise<void> {
  for (let i = 0; i < 100; i++)
    await exchange(socketPath, { method: 'GET', path: '/v1/secrets?limit=100', token });
}
