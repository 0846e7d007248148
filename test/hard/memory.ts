/**
 * Keys and values stay where they belong, while the daemon works and afterwards: the heap of its request thread, and
 * all memory of its process. Everything that is looked for is known to the test: it has the key file, so it has all keys.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { startProbed } from '../fixtures/heap-scan.ts';
import {
  canReadMemory,
  findDaemonPid,
  type MemoryScan,
  type Needle,
  scanMemory,
} from '../fixtures/process-memory.ts';
import { readKeyring, readKeys, readRootKeyFile } from '../fixtures/stored.ts';
import { createSandbox, mav } from '../fixtures/vault.ts';

t.setTimeout(550_000);

const SECRETS = 50;
const CONNECTIONS = 20;

/** Every value is made of pieces that begin with the tag, so that a part of one is found, too. */
const TAG_SIZE = 9;
const PIECE_SIZE = 27;
const TEXT_TAG = randomBytes(TAG_SIZE).toString('hex');
const BYTES_TAG = randomBytes(TAG_SIZE);
/** Invalid as UTF-8, so that its JSON form is base64; its length keeps the pieces at multiples of three. */
const BYTES_HEAD = Buffer.from([0xff, 0xfe, 0xfd]);

/** From one piece, as short as a password, to 100 kB. */
function choosePieces(): number {
  return randomInt(50) === 0 ? randomInt(1, 4_000) : randomInt(1, randomInt(2) === 0 ? 4 : 150);
}

const makeText = (pieces: number) =>
  Array.from({ length: pieces }, () => TEXT_TAG + randomBytes(PIECE_SIZE - TAG_SIZE).toString('hex')).join(
    '',
  );
const makeBytes = (pieces: number) =>
  Buffer.concat([
    BYTES_HEAD,
    ...Array.from({ length: pieces }, () => Buffer.concat([BYTES_TAG, randomBytes(PIECE_SIZE - TAG_SIZE)])),
  ]);
const escapeAll = (text: string) =>
  [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

const form = (name: string, text: string, encoding: BufferEncoding = 'latin1'): Needle => ({
  name,
  bytes: Buffer.from(text, encoding),
});

/** What a tag can look like: as bytes, in JSON, in base64 and as a string of JavaScript. */
const VALUE_FORMS: readonly Needle[] = [
  form('text', TEXT_TAG),
  form('text in UTF-16', TEXT_TAG, 'utf16le'),
  form('text escaped', escapeAll(TEXT_TAG)),
  form('text in base64', Buffer.from(TEXT_TAG).toString('base64')),
  { name: 'bytes', bytes: BYTES_TAG },
  form('bytes in hex', BYTES_TAG.toString('hex')),
  form('bytes in base64', BYTES_TAG.toString('base64')),
];

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
}

const pathOf = (index: number) => `/v1/secrets/s${index % SECRETS}`;
const json = (members: object) => JSON.stringify(members);

/** Every way in which a value is stored. */
const PUTS: readonly ((index: number) => Sent)[] = [
  (index) => ({ method: 'PUT', path: pathOf(index), body: json({ value: makeText(choosePieces()) }) }),
  (index) => ({
    method: 'PUT',
    path: pathOf(index),
    body: `{"value":"${escapeAll(makeText(randomInt(1, 150)))}"}`,
  }),
  (index) => ({
    method: 'PUT',
    path: pathOf(index),
    body: json({ value: makeBytes(choosePieces()).toString('base64'), encoding: 'base64' }),
  }),
  (index) => ({ method: 'PUT', path: `${pathOf(index)}/value`, body: makeBytes(choosePieces()) }),
];

const GETS: readonly ((index: number) => Sent)[] = [
  (index) => ({ method: 'GET', path: pathOf(index) }),
  (index) => ({ method: 'GET', path: `${pathOf(index)}/value` }),
];

/** Answers when all are answered, and the connections closed. */
async function sendAll(
  { socket: socketPath, admin }: Daemon,
  count: number,
  makers: readonly ((index: number) => Sent)[],
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const lanes = Array.from({ length: CONNECTIONS }, async () => {
    while (next < count) {
      const index = next++;
      const sent = makers[index % makers.length]!(randomInt(SECRETS));
      const status = await send(agent, socketPath, admin, sent);
      if (status >= 300) throw new Error(`${sent.method} ${sent.path} answered ${status}`);
    }
  });
  await Promise.all(lanes);
  agent.destroy();
}

function send(
  agent: Agent,
  socketPath: string,
  token: string,
  { method, path, body }: Sent,
): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent, socketPath, method, path, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    request.once('error', reject);
    request.end(body);
  });
}

const fillAll = async (daemon: Daemon) => {
  for (let index = 0; index < SECRETS; index++) {
    const body = { value: makeText(1) };
    await daemon.ask('PUT', pathOf(index), { body });
  }
};

const SCANS = 5;

t.test(
  'request thread > heap scanned while GETs and PUTs run > no key and no secret KeyObject',
  async (t) => {
    const daemon = await startProbed(t);
    await fillAll(daemon);
    const planted = [Buffer.from('planted-by-the-probe')];
    t.same(
      (await daemon.scan('main', planted, true)).found,
      [{ inBuffers: true, inStrings: true }],
      'it finds what is there',
    );
    let isOver = false;
    let rounds = 0;
    const load = (async () => {
      for (; !isOver; rounds++) await sendAll(daemon, 200, [...PUTS, ...GETS]);
    })();
    let buffers = 0;
    let keys = 0;
    for (let scan = 0; scan < SCANS; scan++) {
      const before = rounds;
      // Those of the rows that are there now; the load replaces them meanwhile.
      const needles = readKeys(daemon.databasePath, daemon.keyFile);
      const { found, secretKeys, ...rest } = await daemon.scan('main', needles);
      t.equal(secretKeys, 0, 'no secret KeyObject');
      t.same(
        found.flatMap(({ inBuffers, inStrings }, index) => (inBuffers || inStrings ? [index] : [])),
        [],
        'neither the root key, the KEK nor a DEK, by their place in the list',
      );
      buffers += rest.buffers;
      keys += needles.length;
      // So that requests were answered between this scan and the next.
      while (rounds === before) await sleep(10);
    }
    isOver = true;
    await load;
    t.ok(rounds >= SCANS && keys > SCANS * SECRETS);
    t.comment(
      `figure: ${SCANS} scans of the request thread's heap during ${rounds * 200} requests: ${keys} keys looked for in ${buffers} buffers and in the snapshots, none found`,
    );
  },
);

const ROUND = 1_000;
const SETTLED_MS = 2_000;

interface Counted {
  readonly values: readonly string[];
  readonly keks: number;
  readonly rootKeys: number;
  readonly size: number;
}

/** What is where: the names of the forms of values, and how often the keys are there. */
function count({ hits, size }: MemoryScan): Counted {
  const named = (name: string) => hits.filter((hit) => hit.name === name).length;
  return {
    values: hits
      .filter(({ name }) => VALUE_FORMS.some((form) => form.name === name))
      .map(({ name, mapping }) => `${name} in ${mapping || 'a mapping without a name'}`),
    keks: named('KEK'),
    rootKeys: named('root key'),
    size,
  };
}

async function checkMemory(
  t: Test,
  daemon: Daemon,
  needles: readonly Needle[],
  what: string,
  settledMs = SETTLED_MS,
): Promise<Counted> {
  await sleep(settledMs);
  const counted = count(scanMemory(findDaemonPid(daemon), needles));
  t.same(counted.values, [], `no value after ${what}`);
  t.equal(counted.rootKeys, 0, `no root key after ${what}`);
  return counted;
}

t.test(
  'daemon > all of its memory after thousands of GETs and PUTs > no value, and as many copies of the KEK as before',
  { skip: canReadMemory() ? false : 'the memory of another process cannot be read' },
  async (t) => {
    const sandbox = createSandbox(t, { NODE_V8_COVERAGE: undefined });
    const keyFile = join(sandbox.folder, 'root.key');
    const daemon = await startDaemon(t, { sandbox, init: ['--key-store', 'file', '--key-file', keyFile] });
    const kek = Buffer.from(readKeyring(daemon.databasePath, keyFile).current.kek);
    const rootKey = Buffer.from(readRootKeyFile(keyFile));
    // A half is found, too: freed memory loses its first bytes.
    const needles = [
      ...VALUE_FORMS,
      { name: 'KEK', bytes: kek.subarray(16) },
      form('KEK', kek.toString('hex')),
      form('KEK', kek.toString('base64')),
      { name: 'root key', bytes: rootKey.subarray(16) },
      form('root key', rootKey.toString('hex')),
      form('root key', rootKey.toString('base64')),
    ];
    await fillAll(daemon);
    // Every thread has had its first work then.
    await sendAll(daemon, 100, [...PUTS, ...GETS]);
    const first = await checkMemory(t, daemon, needles, '100 requests');
    t.ok(first.keks > 0, 'the scan finds what is there');
    const copies = [first.keks];
    for (let round = 1; round <= 2; round++) {
      for (const [what, makers] of [
        ['PUTs', PUTS],
        ['GETs', GETS],
      ] as const) {
        await sendAll(daemon, ROUND, makers);
        const { keks } = await checkMemory(t, daemon, needles, `${round * ROUND} ${what}`);
        copies.push(keks);
      }
    }
    t.same(new Set(copies), new Set([first.keks]), `always as many copies of the KEK: ${copies.join(' ')}`);
    t.comment(
      `figure: ${first.size >> 20} MiB of the daemon's memory after ${2 * ROUND} PUTs and ${2 * ROUND} GETs: no value, no root key, ${first.keks} copies of the KEK from the 100th request on`,
    );
    t.equal((await mav(daemon, ['seal'])).code, 0);
    const sealed = await checkMemory(t, daemon, needles, 'sealing', 0);
    t.equal(sealed.keks, 0, 'gone at once, not with a garbage collection');
  },
);
