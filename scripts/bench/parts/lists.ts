/** The first page of a list, and a search that finds ten secrets, in a large vault and in a small one. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { exchange } from '../exchange.ts';
import { FEW_SECRETS, smallSecrets } from '../fillings.ts';
import { compareRow, grouped, milliseconds, type Row, type Target } from '../row.ts';
import { prepareLoad } from '../run-load.ts';
import { ENVIRONMENT, MARKED, MARKER, SERVICE, TEAM } from '../sample-secrets.ts';
import type { Filling } from '../vaults.ts';

/** The median of a page settles in this share of the time that a throughput needs. */
const SHARE_OF_LOAD = 1 / 3;
const PAGE = 100;
const PAGE_TARGET: Target = { atMost: 2 };
const SEARCH_TARGET: Target = { atMost: 5 };

/** A target, and how many secrets its answer has in a vault of a given size. */
interface List {
  readonly what: string;
  readonly path: string;
  readonly found: number;
  readonly target: Target;
}

const byTeam = `metadata_key=team&metadata_value=${TEAM}`;
const byService = `metadata_key=service&metadata_value=${SERVICE}`;
const PAGES: readonly List[] = [
  page('list page', ''),
  page('list page by environment', `&env=${ENVIRONMENT}`),
  page('list page by key, all have it', '&metadata_key=team'),
  page('list page by value, a tenth', `&${byTeam}`),
  page('list page by value, 100 have it', `&${byService}`),
];

function page(what: string, filter: string): List {
  return { what, path: `/v1/secrets?limit=${PAGE}${filter}`, found: PAGE, target: PAGE_TARGET };
}

export async function measureListPages(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const list of PAGES) rows.push(await measure(bench, list));
  return rows;
}

export async function measureSearch(bench: Bench): Promise<Row[]> {
  const path = `/v1/search?q=${MARKER}`;
  return [await measure(bench, { what: 'search, 10 found', path, found: MARKED, target: SEARCH_TARGET })];
}

async function measure(bench: Bench, list: List): Promise<Row> {
  const { rounds, secrets } = bench.settings;
  const many = await prepareList(bench, list, smallSecrets(secrets));
  const few = await prepareList(bench, list, FEW_SECRETS);
  const { what, target } = list;
  const beside = `${grouped(FEW_SECRETS.count)}:`;
  return compareRow({ what, beside, format: milliseconds, target }, await compare(rounds, many, few));
}

/** Returns a function that measures the median time of an answer, with one request at a time. */
async function prepareList(
  { folder, settings, vaults }: Bench,
  { path, found }: List,
  filling: Filling,
): Promise<() => Promise<number>> {
  const { socketPath, token } = await vaults.get(filling);
  const request = { method: 'GET', path, token };
  const answered = JSON.parse((await exchange(socketPath, request)).body.toString()).length;
  if (answered !== found) throw new Error(`${path} answered ${answered} secrets, not ${found}`);
  const load = prepareLoad(folder, { socketPath, connections: 1, requests: [request], status: 200 });
  return async () => (await load(settings.loadMs * SHARE_OF_LOAD)).p50Ms;
}
