/**
 * A vault whose secrets each have ten versions, beside one with the same secrets and no old versions. The ratios say whether old
 * versions are a burden for those who do not ask for them.
 */
import { type Comparison, compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { smallSecrets } from '../fillings.ts';
import type { Request } from '../request.ts';
import { getRandom, putRandom } from '../requests.ts';
import { compareRow, type Described, grouped, milliseconds, perSecond, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';
import { ENVIRONMENT, MARKER } from '../sample-secrets.ts';
import type { Filling } from '../vaults.ts';

/** As many as a vault keeps by itself, the current one counted. */
const VERSIONS = 10;
const CONNECTIONS = 64;
/** The median of a page settles in this share of the time that a throughput needs. */
const SHARE_OF_LOAD = 1 / 3;

/** What is measured on each of the two vaults, and how. */
interface Kind extends Omit<Described, 'beside'> {
  readonly prepare: (bench: Bench, daemon: Daemon, filling: Filling) => () => Promise<number>;
}

const KINDS: readonly Kind[] = [
  {
    what: 'GET, 64 connections',
    format: perSecond,
    target: { atLeast: 0.9 },
    prepare: (bench, daemon, filling) => measureRate(bench, daemon, getRandom(daemon, filling), 200),
  },
  {
    what: 'PUT of what is there, 64 connections',
    format: perSecond,
    target: { atLeast: 0.9 },
    prepare: (bench, daemon, filling) => measureRate(bench, daemon, putRandom(daemon, filling), 201),
  },
  latency('list page', '/v1/secrets?limit=100', 1.1),
  latency('list page by environment', `/v1/secrets?limit=100&env=${ENVIRONMENT}`, 1.1),
  latency('search, 10 found', `/v1/search?q=${MARKER}`, 1.1),
  latency('info', '/v1/info', 2),
  {
    what: 'mav serve',
    format: milliseconds,
    target: { atMost: 1.1 },
    prepare: (_bench, daemon) => async () => {
      const startedAt = performance.now();
      await daemon.restart();
      return performance.now() - startedAt;
    },
  },
];

function latency(what: string, path: string, atMost: number): Kind {
  const prepare: Kind['prepare'] = ({ folder, settings }, { socketPath, token }) => {
    const requests = [{ method: 'GET', path, token }];
    const load = prepareLoad(folder, { socketPath, connections: 1, requests, status: 200 });
    return async () => (await load(settings.loadMs * SHARE_OF_LOAD)).p50Ms;
  };
  return { what, format: milliseconds, target: { atMost }, prepare };
}

function measureRate(
  { folder, settings }: Bench,
  { socketPath }: Daemon,
  requests: readonly Request[],
  status: number,
): () => Promise<number> {
  const load = prepareLoad(folder, { socketPath, connections: CONNECTIONS, requests, status });
  return async () => (await load(settings.loadMs)).perSecond;
}

export async function measureHistory(bench: Bench): Promise<Row[]> {
  const filling = smallSecrets(bench.settings.versioned);
  const one = await bench.vaults.get(filling);
  const ten = await bench.vaults.get({ ...filling, versions: VERSIONS });
  const rows: Row[] = [];
  for (const { what, prepare, ...described } of KINDS) {
    const measures = [prepare(bench, ten, filling), prepare(bench, one, filling)] as const;
    const comparison: Comparison = await compare(bench.settings.rounds, ...measures);
    const named = { what: `${what}, ${grouped(filling.count)} secrets of ten versions`, beside: 'of one' };
    rows.push(compareRow({ ...described, ...named }, comparison));
  }
  return rows;
}
