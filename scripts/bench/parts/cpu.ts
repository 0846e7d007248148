/**
 * The CPU time of a request by thread: a health check, a GET of a 1 kB secret and a PUT of one, with 64 connections. The
 * request thread's is compared with a bare node:http server that answers the same bytes.
 */
import { median } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { exchange } from '../exchange.ts';
import { KILOBYTE_SECRETS } from '../fillings.ts';
import { stopProcess } from '../processes.ts';
import type { Request } from '../request.ts';
import { getOne, putInTurn } from '../requests.ts';
import type { Row, Target } from '../row.ts';
import { startBareServer } from '../run-bare-server.ts';
import { prepareLoad } from '../run-load.ts';
import { canReadThreads, measureThreadCpu, type ThreadCpu } from '../thread-cpu.ts';

const CONNECTIONS = 64;
const PUT_ROWS = 1_000;

interface Kind {
  readonly name: string;
  readonly requests: readonly Request[];
  readonly status: number;
  readonly target?: Target;
}

interface Round {
  readonly daemon: ThreadCpu;
  readonly bare: ThreadCpu;
}

export async function measureCpu(bench: Bench): Promise<Row[]> {
  const what = 'CPU by thread';
  if (!canReadThreads) return [{ what, measured: 'only Linux says which thread ran', figure: null }];
  const daemon = await bench.vaults.get(KILOBYTE_SECRETS);
  const rows: Row[] = [];
  for (const kind of listKinds(daemon))
    rows.push(...describeKind(kind, await measureKind(bench, daemon, kind)));
  return rows;
}

function listKinds(daemon: Daemon): Kind[] {
  const health: Request = { method: 'GET', path: '/v1/health' };
  const puts = putInTurn(daemon, PUT_ROWS, KILOBYTE_SECRETS.valueSize);
  return [
    { name: 'health check', requests: [health], status: 200, target: { atMost: 1.3 } },
    { name: 'GET', requests: [getOne(daemon, KILOBYTE_SECRETS)], status: 200, target: { atMost: 1.8 } },
    { name: 'PUT', requests: puts, status: 201 },
  ];
}

/** The daemon and the bare server in turn; the order changes. */
async function measureKind(
  { folder, settings }: Bench,
  daemon: Daemon,
  { requests, status }: Kind,
): Promise<Round[]> {
  const [first] = requests;
  if (first === undefined) throw new RangeError('there is nothing to send');
  const bare = await startBareServer(folder, await exchange(daemon.socketPath, first));
  const load = { connections: CONNECTIONS, requests };
  const loadVault = prepareLoad(folder, { ...load, status, socketPath: daemon.socketPath });
  const loadBare = prepareLoad(folder, { ...load, status: 200, socketPath: bare.socketPath });
  const ofVault = () => measureThreadCpu(daemon.pid, async () => (await loadVault(settings.loadMs)).answers);
  const ofBare = () =>
    measureThreadCpu(bare.process.pid ?? 0, async () => (await loadBare(settings.loadMs)).answers);
  const rounds: Round[] = [];
  try {
    for (let round = 0; round < settings.rounds; round++) {
      const earlier = round % 2 === 0 ? null : await ofBare();
      const ofDaemon = await ofVault();
      rounds.push({ daemon: ofDaemon, bare: earlier ?? (await ofBare()) });
    }
  } finally {
    await stopProcess(bare.process);
  }
  return rounds;
}

/** The request thread beside the bare server's, and what the other threads take. */
function describeKind({ name, target }: Kind, rounds: readonly Round[]): Row[] {
  const us = (figure: (round: Round) => number) => `${median(rounds.map(figure)).toFixed(1)} us`;
  const requestThread = {
    what: `CPU of a ${name}, request thread`,
    measured: `${us(({ daemon }) => daemon.main)}, bare ${us(({ bare }) => bare.main)}`,
    figure: median(rounds.map(({ daemon, bare }) => daemon.main / bare.main)),
  };
  const others = {
    what: `CPU of a ${name}, other threads`,
    measured: `workers ${us(({ daemon }) => daemon.workers)}, V8's ${us(({ daemon }) => daemon.helpers)}`,
    figure: null,
  };
  return [target === undefined ? requestThread : { ...requestThread, target }, others];
}
