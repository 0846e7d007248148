/**
 * Abuse of the socket, one kind after the other and together, while a well-behaved client asks for a secret every 50 ms
 * on a new connection and on one that it keeps: it is answered within a second throughout, the daemon's memory stays
 * bounded, nothing crashes, and nothing that was a body is taken for a request.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { type Abuser, closeAll, openMany } from '../fixtures/many-connections.ts';
import { countDescriptors, readDescriptorLimit, readMemory } from '../fixtures/process-figures.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { RawConnection, waitUntil } from '../fixtures/raw.ts';
import { longestWaitMs, type SteadyClient, startSteadyClient } from '../fixtures/steady-client.ts';

t.setTimeout(600_000);

const FLOOD = 10_000;
const CAP = 2_048;
/** What the daemon keeps for itself of the descriptors that it may have. */
const OWN_DESCRIPTORS = 128;
const MIB = 1_048_576;
/**
 * What the daemon may grow by. It lets clients make it hold 80 MiB, and the connections themselves take as much. Bodies,
 * answers, requests and connections lie in heaps of their own (of C in each thread, of V8), each of which may have been
 * full at its time, with garbage, and glibc and V8 give little back. What shows that it is bounded: without a bound it
 * would be gigabytes, and the same once more does not add to it.
 */
const GROWTH_MB = 512;

interface Abused {
  readonly daemon: Daemon;
  readonly steady: SteadyClient;
  readonly authorized: string;
  readonly pid: number;
  readonly startMb: number;
  /** How many connections it may have. */
  readonly cap: number;
}

/** A daemon with a small secret, a large one and a client that asks for the small one. */
async function serveAbused(t: Test, under: readonly string[] = []): Promise<Abused> {
  const daemon = await startDaemon(t, { under });
  for (const [name, value] of [
    ['small', 'v'],
    ['large', 'l'.repeat(MIB - 100)],
  ] as const) {
    const { status } = await daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value } });
    if (status !== 201) throw new Error(`put: ${status}`);
  }
  const { socket, admin: token } = daemon;
  const target = '/v1/secrets/small/value';
  const steady = startSteadyClient(t, { socket, token, target, expected: 'v' });
  const pid = daemon.child.pid ?? 0;
  await sleep(500);
  await steady.take();
  const startMb = readMemory(pid).resident;
  const cap = Math.min(CAP, readDescriptorLimit(pid) - OWN_DESCRIPTORS);
  return { daemon, steady, authorized: `Authorization: Bearer ${token}\r\n`, pid, startMb, cap };
}

/** Runs an abuse and checks what the well-behaved client and the daemon's memory were like meanwhile. */
async function during(t: Test, abused: Abused, abuse: () => Promise<string>): Promise<void> {
  const { steady, daemon, pid, startMb } = abused;
  await steady.take();
  const outcome = await abuse();
  const seen = await steady.take();
  const { requests, worstMs, bareMs, keptConnections, failures } = seen;
  t.ok(requests >= 2, 'the client asked all the while');
  t.same(failures.slice(0, 5), [], 'every request of the client was answered');
  t.ok(
    worstMs < longestWaitMs(seen),
    `within a second: ${Math.round(worstMs)} ms (a bare server ${Math.round(bareMs)})`,
  );
  t.equal(keptConnections, 1, 'and the connection that it keeps was left to it');
  const { resident, peak } = readMemory(pid);
  t.ok(peak < startMb + GROWTH_MB, `memory is bounded: ${Math.round(peak)} MiB`);
  t.equal(daemon.child.exitCode, null, 'the daemon lives');
  const [worst, now, most] = [worstMs, resident, peak].map(Math.round);
  t.comment(
    `figure: ${outcome}; the client waited ${worst} ms at worst (for a bare server ${Math.round(bareMs)}) in ${requests} requests; ${now} MiB resident, ${most} MiB at most so far, ${Math.round(startMb)} MiB at first`,
  );
}

async function checkAfterwards(t: Test, { daemon }: Abused): Promise<void> {
  t.match(await daemon.ask('PUT', '/v1/secrets/after', { body: { value: 'w' } }), { status: 201 });
  t.match(await daemon.ask('GET', '/v1/secrets/after'), { status: 200, json: { value: 'w' } });
  const names = (await daemon.ask('GET', '/v1/secrets')).json.map(({ name }: { name: string }) => name);
  t.same(names.sort(), ['after', 'large', 'small'], 'and nothing was stored by an abuse');
  const { code, stderr } = await daemon.stop();
  t.equal(code, 0, 'the daemon went on to its end');
  t.notMatch(stderr, /EMFILE|ListenersExceeded|worker-died/, 'and had nothing to complain of');
}

const countOpen = (abusers: readonly Abuser[]) => abusers.filter(({ isOpen }) => isOpen()).length;
const countStatus = (abusers: readonly Abuser[], status: number) =>
  abusers.filter(({ received }) => received().startsWith(`HTTP/1.1 ${status} `)).length;

const HEALTH = 'GET /v1/health HTTP/1.1\r\n\r\n';

/** What an abuse does; resolves with what became of it, in words. */
type Abuse = (t: Test, abused: Abused) => Promise<string>;

const idle: Abuse = async (t, { daemon, cap }) => {
  const startedAt = performance.now();
  const abusers = await openMany(daemon.socket, FLOOD);
  const openedMs = Math.round(performance.now() - startedAt);
  // The last ones may wait to be accepted.
  await sleep(500);
  const open = countOpen(abusers);
  t.ok(open <= cap, `no more than the cap are open: ${open}`);
  await waitUntil(() => countOpen(abusers) === 0);
  const ms = Math.round(performance.now() - startedAt);
  t.ok(ms < openedMs + 9_000, 'none that sends nothing lives for long');
  return `${FLOOD} silent connections in ${openedMs} ms, ${open} open then, none after ${ms} ms`;
};

const resting: Abuse = async (t, { daemon, cap }) => {
  const abusers = await openMany(daemon.socket, FLOOD, { greeting: HEALTH });
  await sleep(2_000);
  const open = countOpen(abusers);
  t.ok(open <= cap && open > cap / 2, `no more than the cap are open, and the cap is used: ${open}`);
  const answered = countStatus(abusers, 200);
  closeAll(abusers);
  return `${FLOOD} connections that rest after a request, ${answered} answered, ${open} open`;
};

const slowHeaders: Abuse = async (t, { daemon }) => {
  const startedAt = performance.now();
  const abusers = await openMany(daemon.socket, 1_000, { greeting: 'GET /v1/health HTTP/1.1\r\nX-A: ' });
  const drip = setInterval(() => {
    for (const { socket } of abusers) if (socket.writable) socket.write('a');
  }, 250);
  await waitUntil(() => countOpen(abusers) === 0);
  clearInterval(drip);
  const ms = Math.round(performance.now() - startedAt);
  t.equal(countStatus(abusers, 408), abusers.length, 'told so');
  t.ok(ms > 4_500 && ms < 9_000, 'after 5 s');
  return `${abusers.length} connections whose headers drip, all 408 after ${ms} ms`;
};

const uploadOf = (authorized: string, length: number) =>
  `PUT /v1/secrets/slow HTTP/1.1\r\n${authorized}Content-Length: ${length}\r\n\r\n`;

/** Nearly all of 1 MiB each, and few at a time: what is slow about them is the rest. */
async function openUploads({ daemon, authorized }: Abused, count: number): Promise<Abuser[]> {
  const greeting = uploadOf(authorized, MIB) + 'x'.repeat(MIB - 1_000);
  const abusers: Abuser[] = [];
  while (abusers.length < count) {
    abusers.push(...(await openMany(daemon.socket, 10, { greeting })));
    await sleep(20);
  }
  return abusers;
}

const slowBodies: Abuse = async (t, abused) => {
  const startedAt = performance.now();
  const abusers = await openUploads(abused, 300);
  const drip = setInterval(() => {
    for (const { socket } of abusers) if (socket.writable) socket.write('x');
  }, 250);
  await waitUntil(() => countOpen(abusers) === 0);
  clearInterval(drip);
  const ms = Math.round(performance.now() - startedAt);
  const late = countStatus(abusers, 408);
  t.ok(late > 50, `those that may hold their memory are told that they are late: ${late}`);
  t.ok(ms > 14_500 && ms < 22_000, 'after 15 s');
  return `${abusers.length} bodies of 1 MiB that drip, ${late} 408 by ${ms} ms, ${abusers.length - late} cut off before`;
};

const getLarge = (authorized: string) => `GET /v1/secrets/large HTTP/1.1\r\n${authorized}\r\n`;

const stalledReaders: Abuse = async (_t, { daemon, authorized }) => {
  const abusers = await openMany(daemon.socket, 1_000, { greeting: getLarge(authorized), isReading: false });
  await sleep(3_000);
  closeAll(abusers);
  return `${abusers.length} readers of 1 MiB that stall`;
};

const stalledLists: Abuse = async (_t, { daemon, authorized }) => {
  const greeting = getLarge(authorized).repeat(20);
  const abusers = await openMany(daemon.socket, 200, { greeting, isReading: false });
  await sleep(3_000);
  closeAll(abusers);
  return `${abusers.length} readers that stall after 20 requests for 1 MiB each`;
};

const pipelined: Abuse = async (_t, { daemon, authorized }) => {
  const large = getLarge(authorized).repeat(100_000);
  const tiny = 'GET / HTTP/1.1\r\n\r\n'.repeat(100_000);
  const abusers = [
    ...(await openMany(daemon.socket, 1, { greeting: large, isReading: false })),
    ...(await openMany(daemon.socket, 2, { greeting: tiny, isReading: false })),
  ];
  await sleep(3_000);
  closeAll(abusers);
  return `${abusers.length} connections with 100,000 requests each and no reading`;
};

const endlessBody: Abuse = async (t, { daemon, authorized }) => {
  const connection = await RawConnection.open(daemon.socket);
  const startedAt = performance.now();
  connection.write(`PUT /v1/secrets/endless HTTP/1.1\r\n${authorized}Transfer-Encoding: chunked\r\n\r\n`);
  const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);
  let sent = 0;
  const closed = once(connection.socket, 'close');
  for (; sent < 1_024 * MIB && !connection.ended; sent += 65_536) {
    if (!connection.socket.write(chunk)) {
      await Promise.race([once(connection.socket, 'drain'), closed]);
    }
  }
  if (!connection.ended) connection.write('0\r\n\r\n');
  const [answer] = await connection.waitFor(1);
  t.match(answer, { status: 413 });
  connection.close();
  const ms = Math.round(performance.now() - startedAt);
  return `a chunked body of 1 GiB, ${sent / MIB} MiB of it sent in ${ms} ms, 413`;
};

const ROUTES_WITH_BODIES = [
  ['PUT', '/v1/secrets/nested'],
  ['PUT', '/v1/secrets/nested/fields'],
  ['POST', '/v1/secrets/batch-get'],
  ['POST', '/v1/import'],
  ['POST', '/v1/tokens'],
  ['POST', '/v1/generate'],
] as const;

const nested: Abuse = async (t, { daemon }) => {
  const depth = 100_000;
  const arrays = '['.repeat(depth);
  const bodies = [
    arrays,
    arrays + ']'.repeat(depth),
    '{"a":'.repeat(depth),
    `{"value":${arrays}${']'.repeat(depth)}}`,
    `{"value":"v","metadata":{"a":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}}`,
    '['.repeat(MIB),
  ];
  let worstMs = 0;
  let count = 0;
  for (let round = 0; round < 5; round++) {
    for (const [method, target] of ROUTES_WITH_BODIES) {
      for (const [index, body] of bodies.entries()) {
        const startedAt = performance.now();
        const { status, json } = await daemon.ask(method, target, { body });
        worstMs = Math.max(worstMs, performance.now() - startedAt);
        count += 1;
        if (status !== 400 || json.code !== 'bad_request') t.fail(`${target}, body ${index}: ${status}`);
      }
    }
  }
  t.ok(worstMs < 500, `refused quickly: ${Math.round(worstMs)} ms`);
  return `${count} bodies of 100,000 nested brackets and more, all 400, within ${Math.round(worstMs)} ms`;
};

const hugeHeaders: Abuse = async (t, { daemon, authorized }) => {
  const size = 10 * MIB;
  const put = `PUT /v1/secrets/trailed HTTP/1.1\r\n${authorized}Transfer-Encoding: chunked\r\n\r\n`;
  const body = 'd\r\n{"value":"a"}\r\n';
  const forms: Record<string, [bytes: string, statuses: readonly number[]]> = {
    'one header': [`GET /v1/health HTTP/1.1\r\nX-A: ${'a'.repeat(size)}\r\n\r\n`, [431]],
    'many headers': [`GET /v1/health HTTP/1.1\r\n${'X-A: a\r\n'.repeat(size / 8)}\r\n`, [431]],
    'a name': [`GET /v1/health HTTP/1.1\r\n${'a'.repeat(size)}: a\r\n\r\n`, [431]],
    'the target': [`GET /${'a'.repeat(size)} HTTP/1.1\r\n\r\n`, [431]],
    'the method': [`${'A'.repeat(size)} / HTTP/1.1\r\n\r\n`, [400]],
    'empty lines': ['\r\n'.repeat(size / 2), [408]],
    trailers: [`${put}${body}0\r\n${'X-A: a\r\n'.repeat(size / 8)}\r\n`, [400, 431]],
    'an extension of a chunk': [`${put}d;${'a'.repeat(size)}\r\n{"value":"a"}\r\n0\r\n\r\n`, [400, 413]],
  };
  for (const [name, [bytes, statuses]] of Object.entries(forms)) {
    const connection = await RawConnection.open(daemon.socket);
    connection.write(bytes);
    const answers = await connection.waitForEnd();
    const seen = answers.map(({ status }) => status);
    // Closed while it still sends, a client may see the end of the connection only.
    t.ok(seen.length === 0 || (seen.length === 1 && statuses.includes(seen[0] ?? 0)), `${name}: ${seen}`);
    connection.close();
  }
  return `10 MiB of headers in ${Object.keys(forms).length} forms, all refused`;
};

const together: Abuse = async (t, abused) => {
  const { daemon, authorized, cap } = abused;
  // One kind after the other is opened; what they do, they do together.
  const floods = [
    await openMany(daemon.socket, FLOOD / 2),
    await openMany(daemon.socket, FLOOD / 4, { greeting: HEALTH }),
    await openMany(daemon.socket, 1_000, { greeting: 'GET /v1/health HTTP/1.1\r\nX-A: ' }),
    await openUploads(abused, 100),
    await openMany(daemon.socket, 500, { greeting: getLarge(authorized), isReading: false }),
    await openMany(daemon.socket, 20, { greeting: getLarge(authorized).repeat(100), isReading: false }),
  ];
  await sleep(5_000);
  const all = floods.flat();
  // Whoever does not read does not see the end either.
  const open = countOpen(floods.slice(0, 4).flat());
  t.ok(open <= cap, `no more than the cap are open: ${open}`);
  closeAll(all);
  return `${all.length} connections of all kinds together`;
};

const SMALL = '{"value":"a"}';
/** A request that must never be answered: it stands where a body stands, or what one reader might take for its end. */
const SMUGGLED = 'DELETE /v1/secrets/small HTTP/1.1\r\n';

/** By what is wrong: the headers of a PUT, and what comes behind them. */
function listSmugglings(authorized: string): Record<string, readonly [headers: string, rest: string]> {
  const smuggled = `${SMUGGLED}${authorized}\r\n`;
  const [length, chunked] = [`Content-Length: ${smuggled.length}`, 'Transfer-Encoding: chunked'];
  const end = `0\r\n\r\n${smuggled}`;
  const extra = { 'a length and chunks': [`${length}\r\n${chunked}`, end] } as const;
  const encodings = [
    'xchunked',
    'chunkedx',
    'chunked;q=1',
    '"chunked"',
    'identity',
    'gzip, chunked, gzip',
    ',chunked,x',
  ];
  const lengths = [
    '-1',
    '+13',
    '0x0d',
    '1e1',
    '13.0',
    '13 13',
    '13,14',
    ' ',
    '١٣',
    `${2n ** 64n}`,
    `${2n ** 64n + 13n}`,
  ];
  const sizes = [
    '-1',
    '+d',
    '0xd',
    'g',
    ' d',
    `${'f'.repeat(16)}`,
    `1${'0'.repeat(16)}d`,
    'd\n',
    'd;a\n',
    'd;a=\rb',
    'd;\0',
    '',
  ];
  return {
    ...extra,
    'chunks and a length': [`${chunked}\r\n${length}`, end],
    'chunks and no length': [`${chunked}\r\nContent-Length: 0`, end],
    'two lengths': [`Content-Length: 13\r\n${length}`, smuggled],
    'two lengths, the other way': [`${length}\r\nContent-Length: 0`, smuggled],
    'chunks in a folded line': ['Transfer-Encoding:\r\n chunked', end],
    'chunks, folded and a length': [`Content-Length: 13\r\nX: a\r\n\tTransfer-Encoding: chunked`, end],
    'a space before the colon': ['Transfer-Encoding : chunked', end],
    'a tab before the colon': ['Transfer-Encoding\t: chunked', end],
    'a space before the name': [`X: a\r\n Transfer-Encoding: chunked`, end],
    'a space before the first name': [` Transfer-Encoding: chunked`, end],
    'a vertical tab in the value': ['Transfer-Encoding: \x0bchunked', end],
    'a NUL in the value': ['Transfer-Encoding: chunked\0', end],
    'a NUL in the name': ['Transfer-Encoding\0: chunked', end],
    'a bare CR between headers': [`X: a\rTransfer-Encoding: chunked`, end],
    'a bare LF between headers': [`Content-Length: 13\nTransfer-Encoding: chunked`, end],
    'a bare LF at the end of the headers': [`X: a\n\n${smuggled}`, ''],
    'a bare CR at the end of the headers': [`X: a\r\r${smuggled}`, ''],
    'chunks, twice, with another': [`${chunked}\r\nTransfer-Encoding: identity`, end],
    ...Object.fromEntries(encodings.map((name) => [`encoding ${name}`, [`Transfer-Encoding: ${name}`, end]])),
    ...Object.fromEntries(
      lengths.map((name) => [
        `length ${name}`,
        [`Content-Length: ${Buffer.from(name).toString('latin1')}`, SMALL + smuggled],
      ]),
    ),
    ...Object.fromEntries(
      sizes.map((size) => [`chunk size ${JSON.stringify(size)}`, [chunked, `${size}\r\n${SMALL}\r\n${end}`]]),
    ),
    'a chunk that is longer': [chunked, `c\r\n${SMALL}\r\n${end}`],
    'a chunk that is shorter': [chunked, `e\r\n${SMALL}\r\n${end}`],
    'a chunk that ends in LF': [chunked, `d\r\n${SMALL}\n${end}`],
    'a chunk that ends in CR': [chunked, `d\r\n${SMALL}\r${end}`],
    'an end of chunks in LF': [chunked, `d\r\n${SMALL}\r\n0\n\n${smuggled}`],
    'a trailer in LF': [chunked, `d\r\n${SMALL}\r\n0\r\nX: a\n\n${smuggled}`],
    'a trailer with a bare CR': [chunked, `d\r\n${SMALL}\r\n0\r\nX: a\rb\r\n\r\n${smuggled}`],
  };
}

const smuggling: Abuse = async (t, { daemon, authorized }) => {
  const forms = listSmugglings(authorized);
  for (const [name, [headers, rest]] of Object.entries(forms)) {
    const connection = await RawConnection.open(daemon.socket);
    connection.write(
      `PUT /v1/secrets/smuggled HTTP/1.1\r\nHost: a\r\n${authorized}${headers}\r\n\r\n${rest}`,
    );
    connection.socket.end();
    const answers = await connection.waitForEnd();
    const seen = answers.map(({ status }) => status);
    t.strictSame(seen, [400], name);
    connection.close();
  }
  t.match(await daemon.ask('GET', '/v1/secrets/smuggled'), { status: 404 }, 'nothing was stored');
  t.match(await daemon.ask('GET', '/v1/secrets/small'), { status: 200 }, 'and nothing deleted');
  return `${Object.keys(forms).length} forms of request smuggling, each one 400 and the end`;
};

/** Names that mean something in JavaScript. */
const POLLUTING = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];

/** As a plain name: what is stored under it is what comes back. */
const asNames: Abuse = async (t, { daemon }) => {
  let count = 0;
  const send = async (method: string, target: string, status: number, body?: unknown) => {
    const answer = await daemon.ask(method, target, body === undefined ? {} : { body });
    count += 1;
    t.equal(answer.status, status, `${method} ${target}`);
    return answer.json;
  };
  for (const name of POLLUTING) {
    const member = JSON.stringify(name);
    const value = { polluted: 'yes' };
    const path = `/v1/secrets/${name}?env=${name}`;
    // As a member that no body has: an own property, and what would be one of every object.
    for (const [method, target, rest] of [
      ['PUT', '/v1/secrets/x', '"value":"v"'],
      ['PUT', '/v1/secrets/x/fields/f', '"value":"v"'],
      ['POST', '/v1/tokens', '"name":"x","scopes":["read"]'],
      ['POST', '/v1/generate', '"length":20'],
      ['POST', '/v1/secrets/batch-get', '"secrets":[]'],
      ['POST', '/v1/import', '"secrets":[]'],
    ] as const) {
      await send(method, target, 400, `{${member}:${JSON.stringify(value)},${rest}}`);
      await send(method, target, 400, `{${rest},${member}:{"value":"v","scopes":["admin"]}}`);
    }
    await send('GET', `/v1/secrets?${name}=1`, 400);
    // As a name that is the client's own; one is too dangerous to readers of the answer for a member.
    const metadataText = `{${member}:"m","a":{${member}:{"polluted":1}}}`;
    const isMember = name !== '__proto__';
    await send('PUT', path, isMember ? 201 : 400, `{"value":"v","metadata":${metadataText}}`);
    if (!isMember) await send('PUT', path, 201, SMALL);
    await send(
      'PUT',
      `/v1/secrets/${name}/fields/${name}?env=${name}`,
      isMember ? 201 : 400,
      '{"value":"f"}',
    );
    const { metadata, fields } = await send('GET', path, 200);
    t.equal(JSON.stringify(metadata), isMember ? metadataText : '{}', 'metadata as it was');
    t.equal(JSON.stringify(fields ?? []).includes(member), isMember, 'a field of that name');
    const listed = await send('GET', `/v1/secrets?env=${name}&metadata_key=${name}&metadata_value=m`, 200);
    t.equal(listed.length, isMember ? 1 : 0, 'found by it');
    await send('DELETE', path, 200);
    await send('GET', path, 404);
  }
  t.match(await daemon.ask('GET', '/v1/info'), { status: 200 });
  t.notMatch(await daemon.ask('GET', '/v1/health'), { text: /polluted/ });
  return `${count} requests with names as __proto__ at each level, refused or stored as names`;
};

const ABUSES: Record<string, Abuse> = {
  'idle connections': idle,
  'connections that rest': resting,
  'slow headers': slowHeaders,
  'slow bodies': slowBodies,
  'readers that stall': stalledReaders,
  'readers that stall after many requests': stalledLists,
  'pipelining without reading': pipelined,
  'an endless body': endlessBody,
  'nested brackets': nested,
  'headers of 10 MiB': hugeHeaders,
  'request smuggling': smuggling,
  'names of prototypes': asNames,
  'all idle kinds together': together,
};

/** Those that make it hold most. */
const AGAIN = { stalledReaders, stalledLists, pipelined };

/** Both ends of every connection are not in one process, but the flood is all in this one. */
const SKIP_FLOOD =
  process.platform !== 'linux'
    ? 'reads /proc'
    : readDescriptorLimit('self') < FLOOD + 1_000
      ? `needs ${FLOOD + 1_000} descriptors`
      : false;

t.test('abuse > each kind > the well-behaved client is answered', { skip: SKIP_FLOOD }, async (t) => {
  const abused = await serveAbused(t);
  for (const [name, abuse] of Object.entries(ABUSES)) {
    await t.test(name, (t) => during(t, abused, () => abuse(t, abused)));
  }
  const peak = readMemory(abused.pid).peak;
  for (const [name, abuse] of Object.entries(AGAIN)) {
    await t.test(`${name}, again`, (t) => during(t, abused, () => abuse(t, abused)));
  }
  const again = readMemory(abused.pid).peak;
  t.ok(again < peak * 1.1, `it does not add up: ${Math.round(peak)}, then ${Math.round(again)} MiB`);
  await checkAfterwards(t, abused);
});

const FEW = 1_024;

t.test(
  `abuse > no more than ${FEW} descriptors > the well-behaved client is answered`,
  { skip: SKIP_FLOOD || skipWithout('prlimit') },
  async (t) => {
    const abused = await serveAbused(t, ['prlimit', `--nofile=${FEW}:${FEW}`]);
    t.equal(readDescriptorLimit(abused.pid), FEW);
    for (const [name, abuse] of Object.entries({ idle, resting, together })) {
      await t.test(name, (t) =>
        during(t, abused, async () => {
          const outcome = await abuse(t, abused);
          t.ok(countDescriptors(abused.pid) < FEW - 32, 'descriptors are left');
          return outcome;
        }),
      );
    }
    await checkAfterwards(t, abused);
  },
);
