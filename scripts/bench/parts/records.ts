/**
 * What it costs that old versions are kept and that every request stands in the audit log: a GET and a PUT of a 1 kB secret, with
 * both and without. Requests per second depend on what else the machine does; the processor's time for a request does not.
 */
import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import type { Request } from '../request.ts';
import { getRandom, putInTurn } from '../requests.ts';
import { compareRow, perSecond, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';
import { canReadThreads, measureThreadCpu } from '../thread-cpu.ts';

const CONNECTIONS = 64;
const PUT_ROWS = 1_000;
/** So often every secret is replaced before the measurement, so that each has as many versions as are kept. */
const EARLIER_VERSIONS = 10;
const BESIDE = 'without';

interface Kind {
  readonly name: string;
  readonly listRequests: (daemon: Daemon) => readonly Request[];
  readonly status: number;
  /** How often all requests are sent before the measurement. */
  readonly before: number;
}

const KINDS: readonly Kind[] = [
  { name: 'GET', listRequests: (daemon) => getRandom(daemon, KILOBYTE_SECRETS), status: 200, before: 0 },
  {
    name: 'PUT',
    listRequests: (daemon) => putInTurn(daemon, PUT_ROWS, KILOBYTE_SECRETS.valueSize),
    status: 201,
    before: EARLIER_VERSIONS,
  },
];

export async function measureRecords(bench: Bench): Promise<Row[]> {
  const recorded = await bench.vaults.get(KILOBYTE_SECRETS);
  const unrecorded = await bench.vaults.get({ ...KILOBYTE_SECRETS, isUnrecorded: true });
  const rows: Row[] = [];
  for (const kind of KINDS) rows.push(...(await compareKind(bench, kind, recorded, unrecorded)));
  return rows;
}

async function compareKind(bench: Bench, kind: Kind, recorded: Daemon, unrecorded: Daemon): Promise<Row[]> {
  const what = `${kind.name}, 64 connections, with old versions and audit log`;
  const loads = [prepareKind(bench, kind, recorded), prepareKind(bench, kind, unrecorded)] as const;
  for (const load of loads) await load.warmUp();
  const { rounds } = bench.settings;
  const target = { atLeast: 0.9 };
  const rates = await compare(rounds, loads[0].measureRate, loads[1].measureRate);
  const rows = [compareRow({ what, beside: BESIDE, format: perSecond, target }, rates)];
  if (!canReadThreads) return rows;
  const cpu = await compare(rounds, loads[0].measureCpuUs, loads[1].measureCpuUs);
  return [
    ...rows,
    compareRow({ what: `${what}: CPU`, beside: BESIDE, format: microseconds, target: { atMost: 1.1 } }, cpu),
  ];
}

function microseconds(us: number): string {
  return `${us.toFixed(1)} us`;
}

/** The ways to measure one kind of request on one daemon. */
function prepareKind({ folder, settings }: Bench, { listRequests, status, before }: Kind, daemon: Daemon) {
  const requests = listRequests(daemon);
  const { socketPath, pid } = daemon;
  const load = prepareLoad(folder, { socketPath, connections: CONNECTIONS, requests, status });
  const count = async () => (await load(settings.loadMs)).answers;
  return {
    /** Until every secret that is written has been written as often as wanted. */
    warmUp: async () => {
      for (let left = before * requests.length; left > 0; ) left -= await count();
    },
    measureRate: async () => (await load(settings.loadMs)).perSecond,
    /** Of all threads of the daemon. */
    measureCpuUs: async () => {
      const { main, workers, helpers } = await measureThreadCpu(pid, count);
      return main + workers + helpers;
    },
  };
}
