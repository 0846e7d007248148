/** Authentication with many tokens, beside authentication with one. */

import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import type { Daemon } from '../daemon.ts';
import { exchange } from '../exchange.ts';
import { compareRow, grouped, perSecond, type Row } from '../row.ts';
import { prepareLoad } from '../run-load.ts';

const CONNECTIONS = 64;
const PATH = '/v1/secrets/kilobyte';
/** The list of requests is as long with one token as with many, so that it costs the load the same. */
const REQUESTS = 50_000;

export async function measureTokens(bench: Bench): Promise<Row[]> {
  const { rounds, loadMs, tokens } = bench.settings;
  const [many, one] = [await makeVault(bench, 'many-tokens'), await makeVault(bench, 'one-token')];
  bench.say(`creating ${grouped(tokens)} tokens`);
  const loadMany = prepareGets(bench, many, await createTokens(many, tokens));
  const loadOne = prepareGets(bench, one, await createTokens(one, 1));
  // Starts the daemon again, because a daemon that just stored ten thousand tokens is not like one after login.
  for (const daemon of [many, one]) await daemon.restart();
  const comparison = await compare(
    rounds,
    async () => (await loadMany(loadMs)).perSecond,
    async () => (await loadOne(loadMs)).perSecond,
  );
  await many.stop();
  await one.stop();
  const what = `GET, ${grouped(tokens)} tokens`;
  return [compareRow({ what, beside: '1:', format: perSecond, target: { atLeast: 0.95 } }, comparison)];
}

async function makeVault({ vaults }: Bench, name: string): Promise<Daemon> {
  const daemon = await vaults.makeEmpty(name);
  const body = JSON.stringify({ value: 'x'.repeat(1_000) });
  await exchange(daemon.socketPath, { method: 'PUT', path: PATH, token: daemon.token, body });
  return daemon;
}

/** Sends them all at once, so that many are stored in one commit. */
function createTokens({ socketPath, token }: Daemon, count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const body = JSON.stringify({ name: `bench-${index}`, scopes: ['read'] });
      const answer = await exchange(socketPath, { method: 'POST', path: '/v1/tokens', token, body });
      return JSON.parse(answer.body.toString()).token;
    }),
  );
}

/** Returns GETs that each have a random token. */
function prepareGets(
  { folder }: Bench,
  { socketPath }: Daemon,
  tokens: readonly string[],
): ReturnType<typeof prepareLoad> {
  const requests = Array.from({ length: REQUESTS }, () => {
    const token = tokens[Math.floor(Math.random() * tokens.length)] ?? '';
    return { method: 'GET', path: PATH, token };
  });
  return prepareLoad(folder, { socketPath, connections: CONNECTIONS, requests, status: 200 });
}
