/**
 * One hour's worth of a busy machine's requests in four minutes, at full speed: of every kind, on connections that are
 * kept and on new ones, with errors, malformed requests and clients that leave. The daemon's memory is flat after the
 * first minute, and afterwards it has as many descriptors, threads and listeners as before.
 *
 * MIXED_LOAD_SECONDS: for how long, 240 unless told otherwise; shorter runs have shorter minutes.
 */

import { type EventEmitter, once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createApiServer } from '../../src/http/server.ts';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { createHeldVault, hold } from '../fixtures/held.ts';
import { listenUntilEnd } from '../fixtures/listening.ts';
import { LASTING_COUNT, LoadClient, makeEntry, runClient, STEPS } from '../fixtures/load-client.ts';
import { countDescriptors, countThreads, readMemory } from '../fixtures/process-figures.ts';
import { RawConnection, waitUntil } from '../fixtures/raw.ts';
import { createSandbox } from '../fixtures/vault.ts';

const SECONDS = Number(process.env.MIXED_LOAD_SECONDS ?? 240);
const CLIENTS = 32;
const LARGE_SIZE = 1_000_000;
/** How long the daemon lets a client take nothing of its answer; it finds it within twice that time. */
const STALLED_MS = 60_000;
/**
 * How much higher the last minute may reach than the one before: what the collector lets pile up between two runs, and
 * no more. A leak of 100 bytes a request would show as some 50 MiB in that minute.
 */
const TOLERANCE = 0.1;

t.setTimeout((SECONDS + 120) * 1_000);

interface Sample {
  readonly atMs: number;
  readonly residentMb: number;
}

/** Samples until it is told to stop. */
function watchMemory(pid: number): { stop(): Sample[] } {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  const timer = setInterval(() => {
    samples.push({ atMs: performance.now() - startedAt, residentMb: readMemory(pid).resident });
  }, 500);
  return {
    stop: () => {
      clearInterval(timer);
      return samples;
    },
  };
}

/** MiB per minute, by least squares. */
function fitSlope(samples: readonly Sample[]): number {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanAt, meanMb] = [meanOf(samples.map((s) => s.atMs)), meanOf(samples.map((s) => s.residentMb))];
  const covariance = meanOf(samples.map((s) => (s.atMs - meanAt) * (s.residentMb - meanMb)));
  return (60_000 * covariance) / meanOf(samples.map((s) => (s.atMs - meanAt) ** 2));
}

/** Its log goes to a file: it is some hundred megabytes. */
async function serveLogged(t: Test): Promise<{ daemon: Daemon; logPath: string }> {
  const sandbox = createSandbox(t);
  const logPath = join(sandbox.folder, 'log');
  const daemon = await startDaemon(t, { sandbox, logPath });
  const secrets = Array.from({ length: LASTING_COUNT }, (_, index) => ({
    name: `lasting-${index}`,
    ...makeEntry(),
  }));
  const { status } = await daemon.ask('POST', '/v1/import', { body: { secrets } });
  const large = await daemon.ask('PUT', '/v1/secrets/large', { body: { value: 'l'.repeat(LARGE_SIZE) } });
  if (status !== 200 || large.status !== 201) throw new Error(`import: ${status}, put: ${large.status}`);
  return { daemon, logPath };
}

/** A client that has asked for a large value and takes nothing of it. */
async function stallReader({ socket: path, admin }: Daemon): Promise<Socket> {
  const socket = connect(path);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause().write(`GET /v1/secrets/large/value HTTP/1.1\r\nAuthorization: Bearer ${admin}\r\n\r\n`);
  return socket;
}

/** How many bytes there still are, to the end of the answer or of the connection. */
async function readOn(socket: Socket): Promise<number> {
  let received = 0;
  let isEnded = false;
  socket.once('close', () => (isEnded = true));
  socket.on('data', (bytes) => (received += bytes.length));
  socket.resume();
  await waitUntil(() => isEnded || received > LARGE_SIZE);
  socket.destroy();
  return received;
}

/** The lines that are about no request. */
async function readOtherLines(logPath: string): Promise<string[]> {
  const others: string[] = [];
  for await (const line of createInterface(createReadStream(logPath)))
    if (!line.includes('"event":"request"')) others.push(line);
  return others;
}

/** All clients work until the time is up. Returns what was seen of the daemon meanwhile. */
async function load(pid: number, clients: readonly LoadClient[]) {
  const watch = watchMemory(pid);
  const endsAt = performance.now() + SECONDS * 1_000;
  let mostDescriptors = 0;
  const counting = setInterval(() => {
    mostDescriptors = Math.max(mostDescriptors, countDescriptors(pid));
  }, 1_000);
  await Promise.all(clients.map((client) => runClient(client, endsAt)));
  clearInterval(counting);
  return { samples: watch.stop(), mostDescriptors };
}

const mostOf = (samples: readonly Sample[]) => Math.max(...samples.map(({ residentMb }) => residentMb));

/** Checks that the last third took no more memory than the one before. */
function checkFlat(t: Test, samples: readonly Sample[]): void {
  const third = (SECONDS * 1_000) / 3;
  const [first, second, last] = [0, 1, 2].map((index) =>
    samples.filter(({ atMs }) => atMs >= index * third && atMs < (index + 1) * third),
  ) as [Sample[], Sample[], Sample[]];
  t.ok(second.length > 5 && last.length > 5, 'there are samples');
  t.ok(mostOf(last) <= mostOf(second) * (1 + TOLERANCE), `flat: ${mostOf(second)}, then ${mostOf(last)} MiB`);
  const mb = [first, second, last].map((some) => Math.round(mostOf(some)));
  const slope = fitSlope([...second, ...last]);
  t.comment(
    `figure: at most ${mb.join(', ')} MiB in its thirds, ${slope.toFixed(1)} MiB a minute after the first`,
  );
}

t.test(
  `mixed load > ${SECONDS} s > memory flat, as many descriptors and threads as before`,
  { skip: process.platform === 'linux' ? false : 'reads /proc' },
  async (t) => {
    const { daemon, logPath } = await serveLogged(t);
    const pid = daemon.child.pid ?? 0;
    const clients = Array.from({ length: CLIENTS }, (_, index) => new LoadClient(daemon, index));
    // Once through all, so that whatever is opened once is open.
    for (const [, step] of STEPS) await step(clients[0]!);
    clients[0]!.agent.destroy();
    clients[0]!.kept.clear();
    await sleep(500);
    const before = { descriptors: countDescriptors(pid), threads: countThreads(pid) };
    const size = statSync(daemon.databasePath).size;

    const stalled = await stallReader(daemon);
    const { samples, mostDescriptors } = await load(pid, clients);

    const received = await readOn(stalled);
    if (SECONDS * 1_000 > 2 * STALLED_MS)
      t.ok(received < LARGE_SIZE, `who took nothing for two minutes was cut off: ${received} bytes`);
    await waitUntil(() => countDescriptors(pid) <= before.descriptors);
    t.same({ descriptors: countDescriptors(pid), threads: countThreads(pid) }, before, 'as before');
    checkFlat(t, samples);
    t.same(clients.flatMap(({ unexpected }) => unexpected).slice(0, 10), [], 'every answer as expected');
    // A listener left on a connection with each request would have been warned of.
    t.same(
      clients.map(({ kept }) => kept.size),
      clients.map(() => 1),
      'every client kept its connection throughout',
    );
    const listed = await daemon.ask('GET', '/v1/secrets');
    t.equal(listed.json.length, LASTING_COUNT + 1, 'the vault holds what it held');
    const requests = clients.reduce((sum, client) => sum + client.requests, 0);
    t.comment(`figure: ${requests} requests in ${SECONDS} s, ${Math.round(requests / SECONDS)} a second`);
    t.comment(
      `figure: ${before.descriptors} descriptors before, ${mostDescriptors} at most, ${countDescriptors(pid)} after; ${before.threads} threads; vault.db ${size} and ${statSync(daemon.databasePath).size} bytes`,
    );
    const { code } = await daemon.stop();
    t.equal(code, 0, 'it ended well');
    const others = await readOtherLines(logPath);
    t.notMatch(others.join('\n'), /Warning|"level":(?:40|50|60)/, 'nothing to complain of');
  },
);

/** All listeners on an emitter. */
const countListeners = (emitter: EventEmitter) =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);

t.test('listeners > 3,000 requests on one connection > as many as after the first', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  await held.ask('PUT', '/v1/secrets/a', { body: { value: 'v' } });
  const server = createApiServer(held.backend, () => {}, { connections: 10, report: () => {} });
  const accepted: Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket));
  const path = await listenUntilEnd(t, server);
  const connection = await RawConnection.open(path);
  const head = `HTTP/1.1\r\nAuthorization: Bearer ${held.session}\r\n`;
  const requests = [
    `GET /v1/secrets/a ${head}\r\n`,
    `PUT /v1/secrets/a ${head}Content-Length: 13\r\n\r\n{"value":"v"}`,
    `GET /v1/nothing ${head}\r\n`,
    `GET /v1/secrets ${head}\r\n`,
    `PUT /v1/secrets/a ${head}Transfer-Encoding: chunked\r\n\r\nd\r\n{"value":"v"}\r\n0\r\n\r\n`,
  ].join('');
  const count = () => ({
    connection: accepted.reduce((sum, socket) => sum + countListeners(socket), 0),
    server: countListeners(server),
    process: countListeners(process),
  });
  let answered = 0;
  connection.socket.removeAllListeners('data').on('data', (text: string) => {
    answered += text.split('HTTP/1.1 ').length - 1;
  });
  const send = async (repeated: number) => {
    const wanted = answered + 5 * repeated;
    connection.write(requests.repeat(repeated));
    await waitUntil(() => answered >= wanted);
    await sleep(20);
  };
  await send(1);
  const first = count();
  for (let round = 0; round < 60; round++) await send(10);
  t.same(count(), first);
  t.equal(accepted.length, 1);
  t.comment(
    `figure: ${first.connection} listeners on a connection after 5 requests and after ${answered}, ${first.server} on the server, ${first.process} on the process`,
  );
  connection.close();
});
