/**
 * `npm run bench`, in two parts: what `mav get` takes beside `node -e 0`; and requests per second and latencies of an
 * authenticated GET of a secret, beside a bare node:http server that answers the same bytes on a Unix socket. What is
 * compared runs in turn, so that the ratio holds whatever the machine does; absolute figures do not travel.
 *
 *     npm run bench -- [--part startup,load] [--connections 64,1] [--seconds 3] [--rounds 3] [--size 1000]
 *                      [--pairs 41] [--json]
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LoadOptions, LoadResult } from './bench/load.ts';
import { measureStartup, type StartupResult } from './bench/startup.ts';

const BIN = new URL('../dist/src/bin.js', import.meta.url).pathname;
const WARMUP_MS = 1_000;

const { values: settings } = parseArgs({
  options: {
    part: { type: 'string', default: 'startup,load' },
    pairs: { type: 'string', default: '41' },
    connections: { type: 'string', default: '64,1' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    size: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});

/** What the ratio to `node -e 0` is to be at most. */
const STARTUP_TARGETS = { 'with a daemon': 1.6, 'without a daemon': 4 } as const;

type Startups = Readonly<Record<keyof typeof STARTUP_TARGETS, StartupResult>>;

interface Comparison {
  readonly connections: number;
  readonly vault: LoadResult;
  readonly bare: LoadResult;
}

const folder = mkdtempSync(join(tmpdir(), 'mav-bench-'));
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  MAV_HOME: join(folder, 'vault'),
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
};
const children: ChildProcess[] = [];

try {
  await main();
} finally {
  for (const child of children) {
    child.kill();
    await once(child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const parts = settings.part.split(',');
  mav('init', '--key-store', 'file');
  await start([BIN, 'serve'], 'ignore', 'v1/secrets');
  const startups = parts.includes('startup') ? measureStartups() : null;
  const comparisons = parts.includes('load') ? await compareAll() : [];
  if (settings.json) process.stdout.write(`${JSON.stringify({ startups, load: comparisons })}\n`);
  else {
    if (startups !== null) printStartups(startups);
    if (comparisons.length > 0) printLoad(comparisons);
  }
}

/** On two vaults: one that is served, one that is not. */
function measureStartups(): Startups {
  const pairs = Number(settings.pairs);
  const get = [BIN, 'get', 'bench'];
  const alone = { ...env, MAV_HOME: join(folder, 'unserved') };
  mav('set', 'bench', '--value', 'v');
  runMav(alone, 'init', '--key-store', 'file');
  runMav(alone, 'set', 'bench', '--value', 'v');
  return {
    'with a daemon': measureStartup(get, env, pairs),
    'without a daemon': measureStartup(get, alone, pairs),
  };
}

function printStartups(startups: Startups): void {
  row(['mav get beside node -e 0', 'mav ms', 'node ms', 'ratio', 'target']);
  for (const [how, target] of Object.entries(STARTUP_TARGETS)) {
    const { commandMs, nodeMs, ratio } = startups[how as keyof Startups];
    row([how, commandMs.toFixed(1), nodeMs.toFixed(1), ratio.toFixed(2), `<= ${target}`]);
  }
}

async function compareAll(): Promise<Comparison[]> {
  const vaultSocket = join(env.MAV_HOME, 'maestrovault.sock');
  const bareSocket = join(folder, 'bare.sock');
  const { token } = JSON.parse(mav('token', 'create', '--name', 'bench', '--scope', 'read,write'));
  const answer = await prepare(vaultSocket, token);
  writeFileSync(join(folder, 'answer.json'), JSON.stringify(answer));
  await start(
    [join(import.meta.dirname, 'bench/bare-server.ts'), bareSocket, join(folder, 'answer.json')],
    'inherit',
    'listening',
  );
  const comparisons: Comparison[] = [];
  for (const connections of settings.connections.split(',').map(Number)) {
    comparisons.push(await compare(connections, vaultSocket, bareSocket, token));
  }
  return comparisons;
}

/** Stores the secret and takes the answer that the bare server is to give. */
async function prepare(socketPath: string, token: string): Promise<{ headers: string[]; body: string }> {
  const value = 'x'.repeat(Number(settings.size));
  await exchange(socketPath, 'PUT', token, JSON.stringify({ value }));
  return exchange(socketPath, 'GET', token);
}

async function compare(
  connections: number,
  vaultSocket: string,
  bareSocket: string,
  token: string,
): Promise<Comparison> {
  const results: { vault: LoadResult[]; bare: LoadResult[] } = { vault: [], bare: [] };
  // In turn, so that a machine that slows down meanwhile slows both down.
  for (let round = 0; round < Number(settings.rounds); round++) {
    results.bare.push(await load(bareSocket, connections, token));
    results.vault.push(await load(vaultSocket, connections, token));
  }
  return { connections, vault: medianOf(results.vault), bare: medianOf(results.bare) };
}

async function load(socketPath: string, connections: number, token: string): Promise<LoadResult> {
  const options: LoadOptions = {
    socketPath,
    connections,
    warmupMs: WARMUP_MS,
    durationMs: Number(settings.seconds) * 1000,
    request: `GET /v1/secrets/bench HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    status: 200,
  };
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'bench/load.ts'), JSON.stringify(options)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error('the load failed');
  return JSON.parse(output);
}

function medianOf(results: readonly LoadResult[]): LoadResult {
  const median = (figure: keyof LoadResult) => {
    const sorted = results.map((result) => result[figure]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  return { requestsPerSecond: median('requestsPerSecond'), p50Us: median('p50Us'), p99Us: median('p99Us') };
}

function row(cells: readonly string[]): void {
  const padded = cells.map((cell, index) => (index === 0 ? cell.padEnd(32) : cell.padStart(14)));
  process.stdout.write(`${padded.join('')}\n`);
}

function printLoad(comparisons: readonly Comparison[]): void {
  row([`GET of a ${settings.size}-byte secret`, 'requests/s', 'p50 us', 'p99 us']);
  for (const { connections, vault, bare } of comparisons) {
    const figures = (result: LoadResult) =>
      [result.requestsPerSecond, result.p50Us, result.p99Us].map((n) => n.toFixed(0));
    row([`${connections} connections: vault`, ...figures(vault)]);
    row([`${connections} connections: bare node:http`, ...figures(bare)]);
    const ratio = (figure: keyof LoadResult) => (vault[figure] / bare[figure]).toFixed(2);
    row([`${connections} connections: ratio`, ratio('requestsPerSecond'), ratio('p50Us'), ratio('p99Us')]);
  }
}

function mav(...args: string[]): string {
  return runMav(env, ...args);
}

function runMav(env: NodeJS.ProcessEnv, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`mav ${args[0]} failed: ${stderr}`);
  return stdout;
}

/** Starts a process and waits until it has printed `ready`. */
async function start(args: readonly string[], stderr: 'ignore' | 'inherit', ready: string): Promise<void> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', stderr] });
  children.push(child);
  let output = '';
  for await (const text of child.stdout) {
    output += text;
    if (output.includes(ready)) return;
  }
  throw new Error('a server ended before it listened');
}

function exchange(
  socketPath: string,
  method: string,
  token: string,
  body?: string,
): Promise<{ headers: string[]; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}` };
    const outgoing = httpRequest({ socketPath, method, path: '/v1/secrets/bench', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const skipped = new Set(['date', 'connection', 'keep-alive']);
        const kept = Object.entries(response.headers).filter(([name]) => !skipped.has(name));
        resolve({
          headers: kept.flatMap(([name, value]) => [name, String(value)]),
          body: Buffer.concat(chunks).toString('base64'),
        });
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
