/** Finds which of our functions a request passes through. V8 counts the calls in a real daemon and its threads. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/client/index.ts';
import { findSessionFile, readSessionToken } from '../../src/places/session-token.ts';

const root = resolve(import.meta.dirname, '../..');
const BIN = join(root, 'dist/src/bin.js');
/** Number of requests that one run sends more than the run that it is compared with. */
const EXTRA = 20;

type Client = ReturnType<typeof connect>;
type Send = (client: Client) => Promise<unknown>;

const REQUESTS: Readonly<Record<string, Send>> = {
  PUT: (client) => client.putSecret('one', { value: 'a value' }),
  GET: (client) => client.getSecret('one'),
};

interface Coverage {
  readonly result: readonly { url: string; functions: readonly CoveredFunction[] }[];
}

interface CoveredFunction {
  readonly functionName: string;
  /** The first range is the whole function. Offsets are in UTF-16 units. */
  readonly ranges: readonly { startOffset: number; count: number }[];
}

export interface Walk {
  readonly request: string;
  /** `file:line name`, sorted. */
  readonly functions: readonly string[];
}

/** Returns the functions that every one of many equal requests passes through: their count grows by at least that number. */
export async function walkRequests(): Promise<Walk[]> {
  const before = await countCalls(async () => {});
  const walks: Walk[] = [];
  for (const [request, send] of Object.entries(REQUESTS)) {
    const after = await countCalls(async (client) => {
      for (let sent = 0; sent < EXTRA; sent++) await send(client);
    });
    const passed = [...after].filter(([place, count]) => count - (before.get(place) ?? 0) >= EXTRA);
    walks.push({ request, functions: passed.map(([place]) => place).toSorted() });
  }
  return walks;
}

/** Counts the calls of each of our functions in a daemon that answered `send`. */
async function countCalls(send: Send): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'mav-house-'));
  const [coverage, home] = [join(folder, 'coverage'), join(folder, 'vault')];
  const socketPath = join(home, 'maestrovault.sock');
  const env = { PATH: process.env.PATH, HOME: folder, MAV_HOME: home };
  try {
    const init = spawnSync(process.execPath, [BIN, 'init', '--key-store', 'file'], { env, encoding: 'utf8' });
    if (init.status !== 0) throw new Error(`init: ${init.stderr}`);
    const daemon = spawn(process.execPath, [WITHOUT_LAUNCHER, BIN, 'serve'], {
      env: { ...env, NODE_V8_COVERAGE: coverage },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await waitUntilListening(daemon);
    const token = readSessionToken(findSessionFile(env, socketPath)) ?? '';
    const client = connect({ socketPath, token });
    for (const one of Object.values(REQUESTS)) await one(client);
    await send(client);
    client.close();
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
    return readCalls(coverage);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts the daemon without its launcher, which would drop the coverage. */
const WITHOUT_LAUNCHER = '--import=data:text/javascript,delete process.execve';

/** Throws if the daemon ends before it listens. */
function waitUntilListening(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    daemon.stderr?.on('data', (text) => {
      said += text;
      if (said.includes('listening')) resolve();
    });
    daemon.once('exit', () => reject(new Error(`serve: ${said}`)));
  });
}

/** Adds the counts of all threads. */
function readCalls(folder: string): Map<string, number> {
  const calls = new Map<string, number>();
  const places = new Map<string, (offset: number) => string | null>();
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage;
    for (const { url, functions } of result.filter(({ url }) => url.startsWith('file://'))) {
      const path = fileURLToPath(url);
      if (!path.startsWith(join(root, 'dist/'))) continue;
      const locate = places.get(path) ?? createLocator(path);
      places.set(path, locate);
      for (const { functionName, ranges } of functions) {
        const [whole] = ranges;
        const place = whole && functionName !== '' ? locate(whole.startOffset) : null;
        if (whole && place !== null) add(calls, `${place} ${functionName}`, whole.count);
      }
    }
  }
  return calls;
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** Returns `file:line` of the source for an offset in a built file, or null if the source is not ours. */
function createLocator(path: string): (offset: number) => string | null {
  const text = readFileSync(path, 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
  return (offset) => {
    const before = text.slice(0, offset).split('\n');
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    if (!('originalSource' in entry)) return null;
    const source = relative(root, resolve(dirname(path), entry.originalSource));
    return /^(src|workers)\//.test(source) ? `${source}:${entry.originalLine + 1}` : null;
  };
}
