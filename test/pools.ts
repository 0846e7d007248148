/** Batches and threads: sizes, order, a full queue, and threads that die. */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel, type Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import type { Answered } from '../src/answered.ts';
import { type BatchLimits, BatchQueue, type RunBatch } from '../src/pool/batch.ts';
import { LargeAnswers } from '../src/pool/large-answers.ts';
import { Keyring } from '../workers/keys/keyring.ts';
import { SharedKeyringHolder } from '../workers/keys/sharing.ts';
import type { Batch, BatchResult, Call, ControlOperation } from '../workers/messages.ts';
import { importBuilt } from './fixtures/built.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { waitUntil } from './fixtures/raw.ts';
import { StoredFile } from './fixtures/stored.ts';
import { createSandbox, knowVault, mav } from './fixtures/vault.ts';

// Threads are started by the dozen.
t.setTimeout(120_000);
const { HeldVault } =
  await importBuilt<typeof import('../src/daemon/held-vault.ts')>('src/daemon/held-vault.js');
const { answerRequest } = await importBuilt<typeof import('../src/http/answer.ts')>('src/http/answer.js');

const LIMITS: BatchLimits = {
  batchSize: 4,
  batchBytes: 100,
  batchesInFlight: 2,
  queuedCalls: 10,
  queuedBytes: 100,
};

const call = (name: string, size = 0): Call => ({
  operation: 'secrets.get',
  params: { name },
  body: size === 0 ? null : new Uint8Array(size).fill(7),
  mayReplace: false,
});

/** Answers each call with its own name. */
function echo(batch: Batch): BatchResult {
  const names = batch.map(({ params }) => params.name ?? '');
  const bytes = new Uint8Array(Buffer.from(names.join('')));
  let offset = 0;
  const replies = names.map((name) => {
    const reply = { ok: true as const, offset, length: name.length };
    offset += name.length;
    return reply;
  });
  return { bytes, replies };
}

const bodyOf = (answered: Answered) => (answered.ok ? Buffer.from(answered.body).toString() : answered.code);

/** A RunBatch whose batches end when the test says so. */
function createStage() {
  const batches: { size: number; finish: () => void; fail: () => void }[] = [];
  const run: RunBatch = (batch) =>
    new Promise((resolve, reject) => {
      batches.push({
        size: batch.length,
        finish: () => resolve(echo(batch)),
        fail: () => reject(new Error('gone')),
      });
    });
  return { batches, run };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const ignore = () => {};

t.test(
  'queue > the calls of one turn > travel in batches of the limit, and come back to whom they belong',
  async (t) => {
    const { batches, run } = createStage();
    const queue = new BatchQueue(run, { ...LIMITS, queuedCalls: 100 });
    const names = Array.from({ length: 11 }, (_, index) => `n${index}`);
    const answers = Promise.all(names.map((name) => queue.add(call(name))));
    t.equal(batches.length, 0, 'nothing is sent before the turn is over');
    await turn();
    t.same(
      batches.map(({ size }) => size),
      [4, 4],
      'two batches under way, no more',
    );
    batches[1]?.finish();
    await waitUntil(() => batches.length === 3);
    t.equal(batches[2]?.size, 3, 'what gathered meanwhile');
    batches[2]?.finish();
    batches[0]?.finish();
    t.same((await answers).map(bodyOf), names);
  },
);

t.test('queue > full by calls or by bytes > busy at once, its body zeroed; free again later', async (t) => {
  const { batches, run } = createStage();
  const queue = new BatchQueue(run, { ...LIMITS, batchesInFlight: 1 });
  const waiting = Array.from({ length: 4 }, () => queue.add(call('first')));
  await turn();
  waiting.push(queue.add(call('bytes', 60)));
  const refused = call('refused', 41);
  t.match(await queue.add(refused), { ok: false, code: 'busy' });
  t.ok(
    refused.body?.every((byte) => byte === 0),
    'zeroed',
  );
  waiting.push(queue.add(call('fits', 40)));
  while (waiting.length < 14) waiting.push(queue.add(call('more')));
  t.match(await queue.add(call('one too many')), { ok: false, code: 'busy' });
  const drained = queue.drain();
  for (let index = 0; index < 4; index++) {
    await waitUntil(() => batches.length > index);
    batches[index]?.finish();
  }
  t.ok(
    (await Promise.all(waiting)).every((answered) => answered.ok),
    'what was taken is answered',
  );
  await drained;
  const again = queue.add(call('again', 100));
  await turn();
  batches.at(-1)?.finish();
  t.equal(bodyOf(await again), 'again', 'its bytes are free again');
});

t.test(
  'queue > many calls of one client, then one of another > they take turns, each in its order',
  async (t) => {
    const { batches, run } = createStage();
    const queue = new BatchQueue(run, { ...LIMITS, batchSize: 1, batchesInFlight: 1, queuedCalls: 100 });
    const answered: string[] = [];
    const add = async (author: string, name: string) => {
      await queue.add({ ...call(name), author: { id: author, isTrusted: false } });
      answered.push(name);
    };
    const many = ['a0', 'a1', 'a2', 'a3', 'a4'].map((name) => add('a', name));
    const few = ['b0', 'b1'].map((name) => add('b', name));
    await turn();
    for (let index = 0; index < 7; index++) {
      await waitUntil(() => batches.length === index + 1);
      batches[index]?.finish();
    }
    await Promise.all([...many, ...few]);
    t.same(answered, ['a0', 'b0', 'a1', 'b1', 'a2', 'a3', 'a4']);
  },
);

t.test('queue > drained > resolves when nothing waits or runs, at once when idle', async (t) => {
  const { batches, run } = createStage();
  const queue = new BatchQueue(run, { ...LIMITS, batchesInFlight: 1 });
  await queue.drain();
  let isDrained = false;
  const answers = Array.from({ length: 6 }, () => queue.add(call('a')));
  const drained = queue.drain().then(() => (isDrained = true));
  await turn();
  batches[0]?.finish();
  await waitUntil(() => batches.length === 2);
  t.notOk(isDrained);
  batches[1]?.finish();
  await drained;
  t.equal((await Promise.all(answers)).length, 6);
});

t.test('queue > calls that belong into another one > handed on, answered, and drained', async (t) => {
  const [here, there] = [createStage(), createStage()];
  const queue = new BatchQueue(there.run, { ...LIMITS, batchSize: 1, batchesInFlight: 1, queuedCalls: 3 });
  const isFor = ({ params }: Call) => params.name === 'large';
  const first = new BatchQueue(here.run, { ...LIMITS, batchesInFlight: 1 }, { isFor, queue });
  const names = ['large', 'a', 'large', 'b', 'large', 'c', 'large', 'd'];
  const answers = names.map((name) => first.add(call(name)));
  await turn();
  await turn();
  t.same(
    [here.batches.map(({ size }) => size), there.batches.length],
    [[4], 1],
    'full batches of those that stay',
  );
  here.batches[0]?.finish();
  for (let index = 0; index < 3; index++) {
    await waitUntil(() => there.batches.length > index);
    there.batches[index]?.finish();
  }
  const bodies = (await Promise.all(answers)).map(bodyOf);
  t.same(
    bodies,
    ['large', 'a', 'large', 'b', 'large', 'c', 'busy', 'd'],
    'and the other queue has its own bound',
  );
  const only = first.add(call('large'));
  let isDrained = false;
  const drained = first.drain().then(() => (isDrained = true));
  await waitUntil(() => there.batches.length === 4);
  await drained;
  t.ok(isDrained, 'nothing is left here');
  there.batches[3]?.finish();
  t.equal(bodyOf(await only), 'large');
});

t.test('queue > nobody wants the answer when its batch is put together > left out', async (t) => {
  const { batches, run } = createStage();
  const queue = new BatchQueue(run, { ...LIMITS, batchesInFlight: 1 });
  let isGone = false;
  const isWanted = () => !isGone;
  const first = queue.add(call('under way'), isWanted);
  await turn();
  const left = [queue.add(call('left', 60), isWanted), queue.add(call('left'), isWanted)];
  const wanted = queue.add(call('wanted'));
  isGone = true;
  batches[0]?.finish();
  await waitUntil(() => batches.length === 2);
  t.equal(batches[1]?.size, 1);
  batches[1]?.finish();
  t.equal(bodyOf(await first), 'under way', 'what has begun is ended');
  t.equal(bodyOf(await wanted), 'wanted');
  t.match(await Promise.all(left), [{ ok: false }, { ok: false }]);
  const again = queue.add(call('again', 100));
  await turn();
  batches[2]?.finish();
  t.equal(bodyOf(await again), 'again', 'their bytes are free again');
  await queue.drain();
});

t.test(
  'large answers > noted by where the value lies > known until it is small, or too many are',
  async (t) => {
    const large = new LargeAnswers();
    const at = (name: string, more: object = {}): Call => ({ ...call(name), params: { name, ...more } });
    large.note(at('a'), 65_535);
    t.notOk(large.isKnown(at('a')));
    large.note(at('a'), 65_536);
    large.note(at('b', { env: 'e', field: 'f' }), 1_000_000);
    t.ok(large.isKnown(at('a')) && large.isKnown({ ...at('a'), operation: 'values.get' }));
    t.ok(large.isKnown(at('b', { env: 'e', field: 'f' })));
    t.notOk(large.isKnown(at('b', { env: 'e' })) || large.isKnown(at('a', { env: 'e' })));
    large.note(at('a'), 1);
    t.notOk(large.isKnown(at('a')));
    for (let index = 0; index < 4_096; index++) large.note(at(`n${index}`), 65_536);
    t.notOk(large.isKnown(at('b', { env: 'e', field: 'f' })), 'the oldest is forgotten');
    t.ok(large.isKnown(at('n0')));
  },
);

t.test('queue > a batch’s thread dies, or leaves a reply out > an error for its calls only', async (t) => {
  const { batches, run } = createStage();
  const queue = new BatchQueue(run, LIMITS);
  const answers = Array.from({ length: 8 }, (_, index) => queue.add(call(`n${index}`)));
  await turn();
  batches[0]?.fail();
  batches[1]?.finish();
  const results = await Promise.all(answers);
  t.same(results.slice(4).map(bodyOf), ['n4', 'n5', 'n6', 'n7']);
  t.ok(results.slice(0, 4).every((answered) => !answered.ok && answered.code === 'internal'));
  const short = new BatchQueue(async () => ({ bytes: new Uint8Array(), replies: [] }), LIMITS);
  t.match(await short.add(call('a')), { ok: false, code: 'internal' });
});

t.test('HTTP > the queue is full > 503 busy with Retry-After', async (t) => {
  const session = 'mvs_'.padEnd(68, '0');
  const vault = {
    principals: {
      find: (token: string) => (token === session ? { id: 's', scopes: ['session'], expiresAt: null } : null),
    },
    sealedBecause: null,
    settled: async () => {},
    noteUse: ignore,
    dispatch: () => new BatchQueue(createStage().run, { ...LIMITS, queuedCalls: 0 }).add(call('a')),
  } as unknown as Parameters<typeof answerRequest>[0];
  const { status, headers, body, code } = await answerRequest(vault, {
    method: 'GET',
    target: '/v1/secrets',
    authorization: `Bearer ${session}`,
    requestId: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    readBody: async () => null,
    onGone: () => {},
    onDisconnect: () => () => {},
    isWanted: () => true,
  });
  t.match([status, code], [503, 'busy']);
  t.equal(headers[headers.indexOf('Retry-After') + 1], '1');
  t.match(JSON.parse(Buffer.from(body).toString()), { code: 'busy', error: /try again/ });
});

const PASSPHRASE = 'a passphrase of the test';

/** A vault held in this process, from source, and the threads that were started for it. */
async function holdVault(t: Test, readers: number, keyStore: 'file' | 'passphrase' = 'file') {
  const sandbox = createSandbox(t);
  const passphraseFile = join(sandbox.folder, 'pass');
  writeFileSync(passphraseFile, PASSPHRASE, { mode: 0o600 });
  const needsPassphrase = keyStore === 'passphrase';
  const more = needsPassphrase ? ['--passphrase-file', passphraseFile] : [];
  await mav(sandbox, ['init', '--key-store', keyStore, ...more]);
  const threads: Worker[] = [];
  const collect = (thread: Worker) => void threads.push(thread);
  process.on('worker', collect);
  t.teardown(() => process.off('worker', collect));
  const events: string[] = [];
  const options = {
    databasePath: sandbox.databasePath,
    ...knowVault(sandbox),
    passphraseFile: null,
    credentialsDirectory: null,
    keychainTimeoutMs: 1_000,
    mayBeTraced: false,
    readers,
  };
  const session = `mvs_${randomUUID().replaceAll('-', '').repeat(2)}`;
  const vault = new HeldVault(options, session, (event, detail) => events.push(`${event}: ${detail}`));
  t.teardown(() => vault.close());
  const passphrase = needsPassphrase ? encode({ passphrase: PASSPHRASE }) : null;
  t.match(await vault.unseal(passphrase), { ok: true });
  events.length = 0;
  await vault.dispatch('writer', put('a'));
  // Until every thread has the keyring: several batches at once, so that each reader gets one.
  const reads = Array.from({ length: 64 * readers }, () => vault.dispatch('readers', get('a')));
  t.ok((await Promise.all(reads)).every((answered) => answered.ok));
  return { vault, threads, events };
}

const encode = (value: unknown) => new Uint8Array(Buffer.from(JSON.stringify(value)));
const put = (name: string): Call => ({
  operation: 'secrets.put',
  params: { name },
  body: encode({ value: 'x' }),
  mayReplace: true,
});
const get = (name: string): Call => ({ ...put(name), operation: 'secrets.get', body: null });
const control = (operation: ControlOperation): Call => ({ ...put(''), operation, params: {}, body: null });
const deathsIn = (events: readonly string[]) => events.filter((event) => event.startsWith('worker-died'));

/** Ends the next so many threads as soon as they are started, before they have loaded. */
function killTheNext(t: Test, count: number): { readonly killed: () => number } {
  let killed = 0;
  const kill = (thread: Worker) => {
    if (killed === count) return;
    killed += 1;
    void thread.terminate();
  };
  process.on('worker', kill);
  t.teardown(() => process.off('worker', kill));
  return { killed: () => killed };
}

t.test(
  'pools > the writer dies with 300 calls on it > each is answered, and the pool is whole again',
  async (t) => {
    const { vault, threads, events } = await holdVault(t, 1);
    // The reader was started first.
    const [, writer] = threads;
    const names = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const running = Promise.all(names.map((name) => vault.dispatch('writer', put(name))));
    await turn();
    await writer?.terminate();
    const answers = await running;
    t.ok(
      answers.some((answered) => !answered.ok),
      'some were lost',
    );
    t.ok(
      answers.every((answered) => answered.ok || answered.code === 'internal'),
      'and say so',
    );
    t.same(deathsIn(events), ['worker-died: writer: exit 1']);
    t.match(
      await vault.dispatch('writer', put('after')),
      { ok: true },
      'the new thread got the keyring from the others',
    );
    t.match(await vault.dispatch('readers', get('after')), { ok: true });
    for (const [index, answered] of answers.entries()) {
      if (answered.ok) t.match(await vault.dispatch('readers', get(names[index] ?? '')), { ok: true });
    }
    t.equal(threads.length, 3, 'one thread more than at the start');
  },
);

t.test(
  'pools > a thread dies, idle or at work > the next call is served, and one line in the log',
  async (t) => {
    const { vault, threads, events } = await holdVault(t, 2);
    await threads[0]?.terminate();
    t.same(deathsIn(events), ['worker-died: reader: exit 1'], 'idle');
    t.match(await vault.dispatch('readers', get('a')), { ok: true });
    const reads = Promise.all(Array.from({ length: 40 }, () => vault.dispatch('readers', get('a'))));
    await turn();
    await threads[1]?.terminate();
    const writing = vault.dispatch('control', control('keys.rotate'));
    await turn();
    await threads[2]?.terminate();
    await Promise.all([reads, writing]);
    t.match(await vault.dispatch('readers', get('a')), { ok: true });
    t.match(await vault.dispatch('writer', put('a')), { ok: true });
    t.same(
      deathsIn(events).sort(),
      ['worker-died: reader: exit 1', 'worker-died: reader: exit 1', 'worker-died: writer: exit 1'],
      'at work, with a batch and with a control call',
    );
  },
);

t.test(
  'pools > every thread dies, and the first to replace them while they load > whole and unsealed again',
  async (t) => {
    const { vault, threads, events } = await holdVault(t, 1);
    const { killed } = killTheNext(t, 4);
    const [reader, writer] = threads;
    await Promise.all([reader?.terminate(), writer?.terminate()]);
    const calls = await Promise.all([
      vault.dispatch('writer', put('a')),
      vault.dispatch('readers', get('a')),
    ]);
    for (const answered of calls) t.ok(answered.ok || ['internal', 'busy', 'sealed'].includes(answered.code));
    await waitUntil(() => killed() === 4);
    await waitUntil(async () => (await vault.dispatch('writer', put('b'))).ok);
    await waitUntil(async () => (await vault.dispatch('readers', get('b'))).ok);
    t.equal(deathsIn(events).length, 6);
    t.equal(threads.length, 8, 'as many as have died, and two that live');
    t.equal(vault.sealedBecause, null, 'unsealed again, as at the start');
    t.ok(events.includes('unsealed: '));
  },
);

t.test(
  'pools > every thread dies, and the key needs a passphrase > the vault says that it is sealed',
  async (t) => {
    const { vault, threads } = await holdVault(t, 1, 'passphrase');
    await Promise.all(threads.map((thread) => thread.terminate()));
    t.match(vault.sealedBecause, { reason: 'unsealing', message: /unsealed again/ });
    await waitUntil(() => vault.sealedBecause?.reason !== 'unsealing');
    t.match(vault.sealedBecause, { reason: 'needs_passphrase' });
    t.match(await vault.dispatch('readers', get('a')), { ok: false, code: 'sealed' });
    t.match(await vault.unseal(encode({ passphrase: PASSPHRASE })), { ok: true });
    t.match(await vault.dispatch('readers', get('a')), { ok: true });
  },
);

t.test(
  'pools > the writer dies while it seals, then every thread > the vault is sealed, and stays so',
  async (t) => {
    const { vault, threads } = await holdVault(t, 2);
    const sealing = vault.dispatch('control', control('vault.seal'));
    await turn();
    await threads[2]?.terminate();
    t.match(await sealing, { ok: true });
    t.match(vault.sealedBecause, { reason: 'sealed', message: 'the vault is sealed' });
    const reads = Array.from({ length: 64 }, () => vault.dispatch('readers', get('a')));
    t.ok((await Promise.all(reads)).every((answered) => !answered.ok && answered.code === 'sealed'));
    await Promise.all(threads.map((thread) => thread.terminate()));
    t.match(await vault.dispatch('readers', get('a')), { ok: false, code: 'sealed' });
    t.match(await vault.dispatch('writer', put('a')), { ok: false, code: 'sealed' });
    t.match(vault.sealedBecause, { reason: 'sealed' }, 'even when all have died');
  },
);

t.test(
  'pools > sealed and unsealed among writes and rotations > soon an answer, and never `internal`',
  async (t) => {
    const { vault } = await holdVault(t, 1);
    const codes = new Set<string>();
    let longestMs = 0;
    let isOver = false;
    const note = async (running: Promise<Answered>) => {
      const start = performance.now();
      const answered = await running;
      longestMs = Math.max(longestMs, performance.now() - start);
      codes.add(answered.ok ? 'ok' : answered.code);
    };
    const repeat = async (ask: () => Promise<Answered>) => {
      while (!isOver) {
        await note(ask());
        // What is refused at once must not keep the threads from being heard.
        await turn();
      }
    };
    const asking = [
      repeat(() => vault.dispatch('writer', put('a'))),
      repeat(() => vault.dispatch('readers', get('a'))),
      repeat(() => vault.dispatch('control', control('keys.rotate'))),
      repeat(() => vault.unseal()),
    ];
    for (let round = 0; round < 25; round++) {
      await note(vault.dispatch('control', control('vault.seal')));
      await waitUntil(() => vault.sealedBecause === null);
    }
    isOver = true;
    await Promise.all(asking);
    t.same(
      [...codes].filter((code) => !['ok', 'sealed'].includes(code)),
      [],
    );
    t.ok(longestMs < 1_000, `the longest answer took ${Math.round(longestMs)} ms`);
    t.match(await vault.unseal(), { ok: true });
    t.match(await vault.dispatch('control', control('keys.rotate')), { ok: true }, 'and the vault is whole');
    const check = await vault.dispatch('readers', control('vault.check' as ControlOperation));
    t.match(JSON.parse(bodyOf(check)), { database: 'ok', unreadable_count: 0 });
  },
);

const createKeyring = (generation: number) =>
  new Keyring({
    vaultId: randomBytes(16),
    keks: [{ id: randomBytes(16), generation, key: createSecretKey(randomBytes(32)) }],
  });

/** Channels as the pool makes them. Answers one that cuts the two off from each other. */
function connect(one: SharedKeyringHolder, other: SharedKeyringHolder): () => void {
  const { port1, port2 } = new MessageChannel();
  one.connect(port1);
  other.connect(port2);
  return () => port1.close();
}

t.test(
  'keyring > the writer unseals and seals > known to each reader before what is sent afterwards',
  async (t) => {
    const writer = new SharedKeyringHolder('writer', 3);
    const readers = [new SharedKeyringHolder('reader', 1), new SharedKeyringHolder('reader', 2)];
    for (const reader of readers) t.teardown(connect(reader, writer));
    writer.publish(createKeyring(1));
    t.same(
      readers.map(({ keyring }) => keyring?.current.generation),
      [1, 1],
      'no turn of the event loop later',
    );
    writer.forget();
    t.same(
      readers.map(({ keyring }) => keyring),
      [null, null],
    );
    t.same(
      await Promise.all(readers.map((reader) => reader.find())),
      [null, null],
      'and nobody is asked for it',
    );
  },
);

t.test(
  'keyring > a reader or the writer is replaced > has it from the others, and a later sealing wins',
  async (t) => {
    const reader = new SharedKeyringHolder('reader', 1);
    const first = new SharedKeyringHolder('writer', 2);
    const part = connect(reader, first);
    first.publish(createKeyring(7));
    t.equal(reader.keyring?.current.generation, 7);
    part();
    const [writer, newReader] = [new SharedKeyringHolder('writer', 3), new SharedKeyringHolder('reader', 4)];
    // Both know nothing, and one of them is connected to the other only.
    t.teardown(connect(newReader, writer));
    const found = newReader.find();
    t.teardown(connect(reader, writer));
    t.equal((await found)?.current.generation, 7);
    t.equal((await writer.find())?.current.generation, 7);
    const sealing = new SharedKeyringHolder('writer', 5);
    t.teardown(connect(reader, sealing));
    // The reader's keyring is under way to it by now.
    sealing.forget();
    await turn();
    t.equal(await sealing.find(), null);
    t.equal(reader.keyring, null);
  },
);

t.test(
  'keyring > the writer died while it told the readers > what it decided last holds for all',
  async (t) => {
    const readers = [new SharedKeyringHolder('reader', 1), new SharedKeyringHolder('reader', 2)];
    const [told, untold] = readers as [SharedKeyringHolder, SharedKeyringHolder];
    const first = new SharedKeyringHolder('writer', 3);
    const [part, cut] = [connect(told, first), connect(untold, first)];
    first.publish(createKeyring(1));
    t.ok(readers.every(({ keyring }) => keyring !== null));
    cut();
    first.forget();
    t.equal(told.keyring, null);
    part();
    const writer = new SharedKeyringHolder('writer', 4);
    t.teardown(connect(untold, writer));
    t.teardown(connect(told, writer));
    await waitUntil(() => untold.keyring === null);
    t.equal(await writer.find(), null);
  },
);

t.test('keyring > nobody has it > every thread knows that at once', async (t) => {
  const start = performance.now();
  const writer = new SharedKeyringHolder('writer', 2);
  t.equal(await writer.find(), null, 'a writer alone');
  const readers = [new SharedKeyringHolder('reader', 1), new SharedKeyringHolder('reader', 3)];
  const [part] = readers.map((reader) => connect(reader, writer));
  t.same(await Promise.all(readers.map((reader) => reader.find())), [null, null]);
  const waiting = readers[0]?.find();
  part?.();
  const next = new SharedKeyringHolder('writer', 4);
  t.teardown(connect(readers[0] as SharedKeyringHolder, next));
  t.equal(await waiting, null, 'its writer ends while it waits, and the next one knows nothing either');
  t.ok(performance.now() - start < 1_000);
});

t.test('batches of writes > some calls fail > no version is ever given twice', async (t) => {
  const held = await hold(t, await createHeldVault(t));
  const file = new StoredFile(held.sandbox.databasePath);
  t.teardown(() => file.close());
  const put = (name: string, ifMatch?: string) =>
    held.ask('PUT', `/v1/secrets/${name}`, {
      body: { value: 'v' },
      headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
    });
  // In one turn, so that they travel together; every third one is refused in the midst of the others.
  const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(
      names.map((name, index) => put(`${name}-${round}`, index % 3 === 0 ? '"no such tag"' : undefined)),
    );
    t.same(
      answers.map(({ status }) => status),
      names.map((_, index) => (index % 3 === 0 ? 412 : 201)),
    );
  }
  const versions = file.rows('secrets').map(({ version }) => version as number);
  t.equal(versions.length, 60);
  t.equal(new Set(versions).size, versions.length);
  await held.ask('PUT', '/v1/secrets/s0/fields/f', { body: { value: 'v' } });
  const [field] = file.rows('fields');
  t.ok((field?.version as number) > Math.max(...versions), 'what comes next is higher than all');
});
