/** Queues of calls: batches, their sizes and order, and a full queue. */
import t from 'tap';
import type { PendingCall } from '../src/call-result.ts';
import { type BatchLimits, BatchQueue, type BatchRunner } from '../src/pool/batch.ts';
import { LargeResults } from '../src/pool/large-results.ts';
import type { Batch, BatchResult, Call } from '../workers/messages.ts';
import { importBuilt } from './fixtures/built.ts';
import { bodyOf, turn } from './fixtures/pools.ts';
import { waitUntil } from './fixtures/raw.ts';

// Threads are started by the dozen.
t.setTimeout(550_000);

const { answerRequest } = await importBuilt<typeof import('../src/http/answer-request.ts')>(
  'src/http/answer-request.js',
);

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

/** Threads whose batches end when the test says so. */
function createStage() {
  const batches: { size: number; finish: () => void; fail: () => void }[] = [];
  const run: BatchRunner['run'] = (batch) =>
    new Promise((resolve, reject) => {
      batches.push({
        size: batch.length,
        finish: () => resolve(echo(batch)),
        fail: () => reject(new Error('gone')),
      });
    });
  return { batches, threads: { run } };
}

const ignore = () => {};

t.test(
  'queue > the calls of one turn > travel in batches of the limit, and come back to whom they belong',
  async (t) => {
    const { batches, threads } = createStage();
    const queue = new BatchQueue(threads, { ...LIMITS, queuedCalls: 100 });
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
  const { batches, threads } = createStage();
  const queue = new BatchQueue(threads, { ...LIMITS, batchesInFlight: 1 });
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
    const { batches, threads } = createStage();
    const queue = new BatchQueue(threads, { ...LIMITS, batchSize: 1, batchesInFlight: 1, queuedCalls: 100 });
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
  const { batches, threads } = createStage();
  const queue = new BatchQueue(threads, { ...LIMITS, batchesInFlight: 1 });
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
  const queue = new BatchQueue(there.threads, {
    ...LIMITS,
    batchSize: 1,
    batchesInFlight: 1,
    queuedCalls: 3,
  });
  const large = { isKnown: ({ params }: Call) => params.name === 'large', note: () => {} };
  const first = new BatchQueue(here.threads, { ...LIMITS, batchesInFlight: 1 }, { large, queue });
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
  const { batches, threads } = createStage();
  const queue = new BatchQueue(threads, { ...LIMITS, batchesInFlight: 1 });
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
  'large results > noted by where the value lies > known until it is small, or too many are',
  async (t) => {
    const large = new LargeResults();
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
  const { batches, threads } = createStage();
  const queue = new BatchQueue(threads, LIMITS);
  const answers = Array.from({ length: 8 }, (_, index) => queue.add(call(`n${index}`)));
  await turn();
  batches[0]?.fail();
  batches[1]?.finish();
  const results = await Promise.all(answers);
  t.same(results.slice(4).map(bodyOf), ['n4', 'n5', 'n6', 'n7']);
  t.ok(results.slice(0, 4).every((answered) => !answered.ok && answered.code === 'internal'));
  const short = new BatchQueue({ run: async () => ({ bytes: new Uint8Array(), replies: [] }) }, LIMITS);
  t.match(await short.add(call('a')), { ok: false, code: 'internal' });
});

t.test('HTTP > the queue is full > 503 busy with Retry-After', async (t) => {
  const session = 'mvs_'.padEnd(68, '0');
  const vault = {
    principals: {
      authenticate: (header: string) =>
        header === `Bearer ${session}` ? { id: 's', scopes: ['session'], expiresAt: null } : null,
    },
    sealedBecause: null,
    settled: async () => {},
    noteUse: ignore,
    dispatch: (_pool: string, pending: PendingCall) =>
      new BatchQueue(createStage().threads, { ...LIMITS, queuedCalls: 0 }).push(pending),
  } as unknown as Parameters<typeof answerRequest>[0];
  const { status, headers, body, code } = await answerRequest(vault, {
    method: 'GET',
    target: '/v1/secrets',
    authorization: `Bearer ${session}`,
    requestId: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    purpose: undefined,
    approval: undefined,
    asker: null,
    readBody: async () => null,
    onGone: () => {},
    onDisconnect: () => () => {},
    isWanted: () => true,
  });
  t.match([status, code], [503, 'busy']);
  t.equal(headers[headers.indexOf('Retry-After') + 1], '1');
  t.match(JSON.parse(Buffer.from(body).toString()), { code: 'busy', error: /try again/ });
});
