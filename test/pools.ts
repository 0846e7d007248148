/** Batches and threads: sizes, order, a full queue, and threads that die. */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BroadcastChannel, type Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import type { Answered } from '../src/answered.ts';
import { HeldVault } from '../src/daemon/held-vault.ts';
import { answerRequest } from '../src/http/answer.ts';
import { type BatchLimits, BatchQueue, type RunBatch } from '../src/pool/batch.ts';
import { LargeAnswers } from '../src/pool/large-answers.ts';
import { Keyring } from '../workers/keys/keyring.ts';
import { SharedKeyringHolder } from '../workers/keys/sharing.ts';
import type { Batch, BatchResult, Call } from '../workers/messages.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { waitUntil } from './fixtures/raw.ts';
import { StoredFile } from './fixtures/stored.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

const LIMITS: BatchLimits = { batchSize: 4, batchesInFlight: 2, queuedCalls: 10, queuedBytes: 100 };

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
    const queue = new BatchQueue(run, { ...LIMITS, queuedCalls: 100 }, ignore);
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
  const queue = new BatchQueue(run, { ...LIMITS, batchesInFlight: 1 }, ignore);
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

t.test('queue > drained > resolves when nothing waits or runs, at once when idle', async (t) => {
  const { batches, run } = createStage();
  const queue = new BatchQueue(run, { ...LIMITS, batchesInFlight: 1 }, ignore);
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
  const queue = new BatchQueue(
    there.run,
    { ...LIMITS, batchSize: 1, batchesInFlight: 1, queuedCalls: 3 },
    ignore,
  );
  const isFor = ({ params }: Call) => params.name === 'large';
  const first = new BatchQueue(here.run, { ...LIMITS, batchesInFlight: 1 }, ignore, { isFor, queue });
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
  const queue = new BatchQueue(run, { ...LIMITS, batchesInFlight: 1 }, ignore);
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

t.test(
  'queue > a batch’s thread dies, or leaves a reply out > an error for its calls only, reported',
  async (t) => {
    const { batches, run } = createStage();
    const reported: unknown[] = [];
    const queue = new BatchQueue(run, LIMITS, (error) => reported.push(error));
    const answers = Array.from({ length: 8 }, (_, index) => queue.add(call(`n${index}`)));
    await turn();
    batches[0]?.fail();
    batches[1]?.finish();
    const results = await Promise.all(answers);
    t.same(results.slice(4).map(bodyOf), ['n4', 'n5', 'n6', 'n7']);
    t.ok(results.slice(0, 4).every((answered) => !answered.ok && answered.code === 'internal'));
    t.equal(reported.length, 1);
    const short = new BatchQueue(async () => ({ bytes: new Uint8Array(), replies: [] }), LIMITS, ignore);
    t.match(await short.add(call('a')), { ok: false, code: 'internal' });
  },
);

t.test('HTTP > the queue is full > 503 busy with Retry-After', async (t) => {
  const session = 'mvs_'.padEnd(68, '0');
  const vault = {
    principals: {
      find: (token: string) => (token === session ? { id: 's', scopes: ['session'], expiresAt: null } : null),
    },
    sealedBecause: null,
    settled: async () => {},
    noteUse: ignore,
    dispatch: () => new BatchQueue(createStage().run, { ...LIMITS, queuedCalls: 0 }, ignore).add(call('a')),
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
    isWanted: () => true,
  });
  t.match([status, code], [503, 'busy']);
  t.equal(headers[headers.indexOf('Retry-After') + 1], '1');
  t.match(JSON.parse(Buffer.from(body).toString()), { code: 'busy', error: /try again/ });
});

/** A vault held in this process, from source, and the threads that were started for it. */
async function holdVault(t: Test, readers: number) {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const threads: Worker[] = [];
  const collect = (thread: Worker) => void threads.push(thread);
  process.on('worker', collect);
  t.teardown(() => process.off('worker', collect));
  const events: string[] = [];
  const options = {
    databasePath: sandbox.databasePath,
    passphraseFile: null,
    credentialsDirectory: null,
    keychainTimeoutMs: 1_000,
    readers,
  };
  const session = `mvs_${randomUUID().replaceAll('-', '').repeat(2)}`;
  const vault = new HeldVault(options, session, (event) => events.push(event));
  t.teardown(() => vault.close());
  t.match(await vault.unseal(), { ok: true });
  await vault.dispatch('writer', put('a'));
  // Until every thread has the keyring: several batches at once, so that each reader gets one.
  const reads = Array.from({ length: 64 * readers }, () => vault.dispatch('readers', get('a')));
  t.ok((await Promise.all(reads)).every((answered) => answered.ok));
  return { vault, threads, events };
}

const put = (name: string): Call => ({
  operation: 'secrets.put',
  params: { name },
  body: new Uint8Array(Buffer.from('{"value":"x"}')),
  mayReplace: true,
});
const get = (name: string): Call => ({ ...put(name), operation: 'secrets.get', body: null });

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
    t.ok(events.includes('worker-died'));
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

t.test('pools > a thread dies while nothing runs > the next call is served', async (t) => {
  const { vault, threads } = await holdVault(t, 2);
  for (const thread of threads.slice(0, 2)) {
    await thread.terminate();
    t.match(await vault.dispatch('readers', get('a')), { ok: true });
  }
  await threads[2]?.terminate();
  t.match(await vault.dispatch('writer', put('a')), { ok: true });
});

t.test('pools > every thread dies > the vault is sealed until it is unsealed', async (t) => {
  const { vault, threads } = await holdVault(t, 1);
  await Promise.all(threads.map((thread) => thread.terminate()));
  t.match(await vault.dispatch('readers', get('a')), { ok: false, code: 'sealed' });
  t.match(await vault.unseal(), { ok: true, message: undefined });
  t.match(await vault.dispatch('readers', get('a')), { ok: true });
});

t.test('keyring > two threads that hear each other start > each gets what the other publishes', async (t) => {
  const name = `test-${randomUUID()}`;
  const wire = new BroadcastChannel(name);
  const hellos: unknown[] = [];
  wire.onmessage = (event) => {
    const { data } = event as { data: { kind: string } };
    if (data.kind === 'hello') hellos.push(data);
  };
  const one = new SharedKeyringHolder(name);
  await waitUntil(() => hellos.length === 1);
  const other = new SharedKeyringHolder(name);
  // Threads that start together hear each other; here the second came later and has the first one's hello repeated.
  wire.postMessage(hellos[0]);
  await waitUntil(() => hellos.length === 2);
  await sleep(50);
  wire.close();
  const kek = { id: randomBytes(16), generation: 1, key: createSecretKey(randomBytes(32)) };
  one.publish(new Keyring({ vaultId: randomBytes(16), unsealId: 'first', keks: [kek] }));
  t.equal((await other.find())?.unsealId, 'first');
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
