/**
 * What an ordinary token holder can make the daemon hold, one way after the other, while the owner asks for the health,
 * reads and writes a secret every 50 ms and runs `mav get`: the owner is answered within a second throughout, and the
 * daemon stays bounded. All of it is an ordinary user's: what runs as root becomes one first.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { readMemory } from '../fixtures/process-figures.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { RawConnection } from '../fixtures/raw.ts';
import { longestWaitMs, type SteadyClient, startSteadyClient } from '../fixtures/steady-client.ts';
import { becomeOrdinaryUser } from '../fixtures/users.ts';
import { BIN } from '../fixtures/vault.ts';

t.setTimeout(600_000);
becomeOrdinaryUser();

const MIB = 1_048_576;
/** Measured: 137 at the start, 318 at most. */
const MOST_MB = 400;
/** What the owner reads and writes. */
const OWN = '/v1/secrets/small';
/** How much longer than on a machine that has time: the daemon's threads, the attackers and `mav` share two cores. */
const BUSY = 2.5;
/** A write waits for an import that is being written. */
const LONGEST_IMPORT_MS = 5_000;

interface Attacked {
  readonly daemon: Daemon;
  readonly pid: number;
  readonly owner: SteadyClient;
  /** Of a token that may read and write. */
  readonly token: string;
  readonly head: string;
}

async function serveAttacked(t: Test): Promise<Attacked> {
  const daemon = await startDaemon(t, { launched: true });
  await daemon.ask('PUT', '/v1/secrets/small', { body: { value: 'v' } });
  const { token } = await daemon.createToken(['read', 'write']);
  const owner = startSteadyClient(t, {
    socket: daemon.socket,
    token: daemon.admin,
    target: '/v1/secrets/small/value',
    expected: 'v',
    others: [
      { method: 'GET', target: '/v1/health', status: 200 },
      { method: 'PUT', target: OWN, body: '{"value":"v"}', status: 201 },
    ],
    command: { line: [process.execPath, BIN, 'get', 'small'], env: daemon.env, prints: 'v' },
  });
  const pid = daemon.child.pid ?? 0;
  return { daemon, pid, owner, token, head: `Host: x\r\nAuthorization: Bearer ${token}\r\n` };
}

/** Attacks, and checks what the owner saw of it and how much memory the daemon took. */
async function during(t: Test, what: string, attack: () => Promise<void>) {
  const { owner, pid, daemon } = attacked;
  await owner.take();
  await attack();
  const seen = await owner.take();
  const { worstOf, bareMs, failures, requests } = seen;
  const { peak, resident } = readMemory(pid);
  t.same(failures.slice(0, 3), [], `${what}: the owner is answered`);
  const writeMs = worstOf[`PUT ${OWN}`] ?? 0;
  const { command: commandMs = 0, [`PUT ${OWN}`]: _write, ...reads } = worstOf;
  const readMs = Math.max(...Object.values(reads));
  t.ok(readMs < BUSY * longestWaitMs(seen), `${what}: reads within a second (${Math.round(readMs)} ms)`);
  t.ok(
    writeMs < LONGEST_IMPORT_MS + BUSY * longestWaitMs(seen),
    `${what}: writes (${Math.round(writeMs)} ms)`,
  );
  t.ok(peak < MOST_MB, `${what}: ${Math.round(peak)} MiB at most`);
  t.equal(daemon.child.exitCode, null);
  const [read, write, bare, command, now, most] = [readMs, writeMs, bareMs, commandMs, resident, peak].map(
    Math.round,
  );
  t.comment(
    `figure: ${what}: the owner waited ${read} ms at worst in ${requests} requests, ${write} to write, ${command} for mav get (a bare server's client ${bare}); ${now} MiB now, ${most} at most so far`,
  );
}

/** Opens so many connections, sends each what it gets, and leaves them for a while. */
async function holdOpen(pieces: readonly (string | Uint8Array)[][], ms: number) {
  const connections = await Promise.all(pieces.map(() => RawConnection.open(attacked.daemon.socket)));
  for (const [at, connection] of connections.entries()) {
    connection.socket.pause();
    for (const piece of pieces[at] ?? []) connection.write(piece);
  }
  await sleep(ms);
  for (const connection of connections) connection.close();
}

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

const skip = skipWithout('prlimit');

// Each test goes on with what the ones before have stored, and the peak of memory is that of all.
let attacked: Attacked;
t.before(async () => {
  if (skip === false) attacked = await serveAttacked(t);
});

const ask = (method: string, target: string, body?: unknown) =>
  attacked.daemon.ask(method, target, { token: attacked.token, body });
const get = (target: string) => `GET ${target} HTTP/1.1\r\n${attacked.head}\r\n`;
const upload = (size: number) =>
  `POST /v1/import HTTP/1.1\r\n${attacked.head}Content-Length: ${size}\r\n\r\n`;

t.test(
  'a token holder > uploads and asks in vain > bounded, and the owner is answered',
  { skip },
  async (t) => {
    await during(t, '20 imports of headers alone, 64 MiB announced', () =>
      holdOpen(
        times(20, () => [upload(64 * MIB)]),
        2_000,
      ),
    );
    await during(t, '64 requests on one connection', () =>
      holdOpen([times(64, () => `GET /v1/export HTTP/1.1\r\n${attacked.head}\r\n`)], 2_000),
    );
    await during(t, '40 imports of which 16 MiB come', () =>
      holdOpen(
        times(40, () => [upload(64 * MIB), Buffer.alloc(16 * MIB, 0x20)]),
        3_000,
      ),
    );
    await during(t, '200 bodies that drip', async () => {
      const connections = await Promise.all(times(200, () => RawConnection.open(attacked.daemon.socket)));
      for (const connection of connections) connection.write(upload(64 * MIB));
      for (let round = 0; round < 20; round++) {
        for (const connection of connections) connection.write(Buffer.alloc(65_536, 0x20));
        await sleep(100);
      }
      for (const connection of connections) connection.close();
    });
  },
);

t.test(
  'a token holder > the largest entries, taken or not > bounded, and the owner is answered',
  { skip },
  async (t) => {
    const field = '\u0001'.repeat(MIB - 2_000);
    await during(t, 'entries as large as may be, of what is escaped to six times that', async () => {
      for (const name of ['a', 'b', 'c'])
        for (let at = 0; at < 8; at++) {
          const value = Buffer.from(field);
          const { status } = await attacked.daemon.ask('PUT', `/v1/secrets/${name}/fields/f${at}/value`, {
            token: attacked.token,
            body: value,
          });
          if (status !== 201) throw new Error(`PUT answered ${status}`);
        }
      const { status } = await ask('PUT', '/v1/secrets/a/fields/more', { value: 'x'.repeat(100_000) });
      t.equal(status, 413, 'and no more');
    });
    await during(t, '30 reads of the largest entry that nobody takes', () =>
      holdOpen(
        times(30, (at) => [get(`/v1/secrets/${'abc'[at % 3]}`)]),
        4_000,
      ),
    );
    await during(t, '64 connections that ask for it, for the export and for lists, and take nothing', () =>
      holdOpen(
        times(64, (at) =>
          ['/v1/secrets/a', '/v1/secrets/b/fields', '/v1/export', '/v1/secrets'].map((_, turn, all) =>
            get(all[(at + turn) % 4] ?? ''),
          ),
        ),
        4_000,
      ),
    );
    await during(t, '64 reads of it on one connection that nobody takes', () =>
      holdOpen([times(64, () => get('/v1/secrets/a'))], 4_000),
    );
    await during(t, '30 exports that nobody takes', () =>
      holdOpen(
        times(30, () => [get('/v1/export')]),
        4_000,
      ),
    );
    const refs = JSON.stringify({ refs: times(1_000, (at) => ({ name: 'abc'[at % 3] })) });
    await during(t, '20 batch-gets of the largest entries', async () => {
      await Promise.all(times(20, () => ask('POST', '/v1/secrets/batch-get', refs)));
    });
    await during(t, 'the largest entry, taken', async () => {
      const { json } = await ask('GET', '/v1/secrets/a');
      t.equal(Buffer.from(json.fields.f7.value, 'base64').toString(), field, 'whole');
    });
  },
);

t.test(
  'a token holder > metadata of many small lists > bounded, and the owner is answered',
  { skip },
  async (t) => {
    const deep = `{"value":"v","metadata":{"a":[${'[],'.repeat(300_000)}[]]}}`;
    await during(t, '200 bodies of many small lists', async () => {
      for (let round = 0; round < 10; round++)
        await Promise.all(times(20, (at) => ask('PUT', `/v1/secrets/deep${at}`, deep)));
    });
    await during(t, 'lists and searches over much metadata', async () => {
      await Promise.all(times(8, () => ask('GET', '/v1/secrets?limit=1000')));
      await Promise.all(times(4, () => ask('GET', '/v1/secrets')));
      await holdOpen(
        times(30, () => [get('/v1/secrets'), get('/v1/search?q=deep')]),
        3_000,
      );
    });
  },
);

t.test('a token holder > 100,000 long names > bounded, and the owner is answered', { skip }, async (t) => {
  const long = (from: number, count: number) =>
    `{"secrets":[${times(count, (at) => `{"name":"${'n'.repeat(220)}${from + at}","value":"v"}`).join(',')}]}`;
  for (let from = 0; from < 100_000; from += 5_000)
    t.equal((await ask('POST', '/v1/import', long(from, 5_000))).status, 200);
  await during(t, 'lists and searches of 100,000 long names', async () => {
    await holdOpen(
      times(64, (at) => [get(['/v1/secrets', '/v1/search?q=nnn', '/v1/secrets?limit=1000'][at % 3] ?? '')]),
      3_000,
    );
    await Promise.all(times(4, () => ask('GET', '/v1/search?q=9999')));
    await Promise.all(times(2, () => ask('GET', '/v1/secrets')));
  });
});

t.test(
  'a token holder > imports of as many entries as there is room for > bounded, and the owner is answered',
  { skip },
  async (t) => {
    await during(t, 'imports of as many entries as there is room for', async () => {
      const entries = (count: number) =>
        `{"secrets":[${times(count, (at) => `{"name":"i${at}","value":"v"}`).join(',')}]}`;
      const many = await ask('POST', '/v1/import?dry_run=true', entries(1_500_000));
      t.equal(many.status, 400, 'too many');
      const most = await ask('POST', '/v1/import?dry_run=true', entries(100_000));
      t.equal(most.status, 200);
    });
  },
);

/** Once a minute the daemon cuts off clients that have taken nothing for a minute. */
const CUT_OFF_MS = 125_000;

t.test('a client that takes nothing of its answer > is cut off within two minutes', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const value = 'v'.repeat(700_000);
  t.equal((await daemon.ask('PUT', '/v1/secrets/large', { body: { value } })).status, 201);
  const connection = await RawConnection.open(daemon.socket);
  connection.socket.pause();
  connection.write(
    `GET /v1/secrets/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${daemon.admin}\r\n\r\n`,
  );
  await sleep(CUT_OFF_MS);
  let taken = 0;
  connection.socket.on('data', (text) => {
    taken += text.length;
  });
  connection.socket.resume();
  await connection.waitForEnd();
  t.ok(taken > 0 && taken < value.length, `${taken} bytes lay in the socket, and no more came`);
});
