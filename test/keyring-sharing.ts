/** How the threads share what the keys of the vault are, and the versions that they give. */
import { randomBytes } from 'node:crypto';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import t from 'tap';
import { Keyring } from '../workers/keys/keyring.ts';
import { SharedKeyringHolder } from '../workers/keys/sharing.ts';
import { createHeldVault, hold } from './fixtures/held.ts';
import { turn } from './fixtures/pools.ts';
import { waitUntil } from './fixtures/raw.ts';
import { StoredFile } from './fixtures/stored.ts';

// Threads are started by the dozen.
t.setTimeout(550_000);

const createKeyring = (generation: number) =>
  new Keyring(randomBytes(16), [{ id: randomBytes(16), generation }], (kek) => kek.set(randomBytes(32)));

/** Channels as the pool makes them. Answers one that cuts the two off from each other. */
function connect(one: SharedKeyringHolder, other: SharedKeyringHolder): () => void {
  const { port1, port2 } = new MessageChannel();
  one.connect(port1);
  other.connect(port2);
  return () => port1.close();
}

t.test('keyring > destroyed > its keys are gone at once, and nothing can be done with it', async (t) => {
  const keyring = createKeyring(1);
  const { kek, tokenMacKey } = keyring.current;
  const picked = keyring.pick(() => true);
  t.same(picked.current.kek, kek);
  keyring.destroy();
  t.same([kek.length, tokenMacKey.length], [0, 0]);
  t.throws(() => keyring.current, RangeError);
  t.throws(() => keyring.find(randomBytes(16)), RangeError);
  t.doesNotThrow(() => keyring.destroy(), 'twice');
  t.equal(picked.current.kek.length, 32, 'what was made of it stays');
});

t.test('keyring > of no KEK, of zeros, of one that cannot be had > refused', async (t) => {
  const head = { id: randomBytes(16), generation: 1 };
  t.throws(() => new Keyring(randomBytes(16), [], () => {}), RangeError);
  t.throws(() => new Keyring(randomBytes(16), [head], () => {}), RangeError);
  const cannot = () => {
    throw new TypeError('not to be had');
  };
  t.throws(() => new Keyring(randomBytes(16), [head], cannot), TypeError);
});

/** The shared memory of every message that this port is sent from now on. */
function recordLent(port: MessagePort): Uint8Array[] {
  const lent: Uint8Array[] = [];
  const { postMessage } = port;
  port.postMessage = (message) => {
    if (message.lent) lent.push(new Uint8Array(message.lent.keks));
    postMessage.call(port, message);
  };
  return lent;
}

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

t.test('keyring > lent, then taken, ignored or never read > zeroed', async (t) => {
  const writer = new SharedKeyringHolder('writer', 1);
  const reader = new SharedKeyringHolder('reader', 2);
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port1.close());
  const lent = recordLent(port1);
  writer.connect(port1);
  reader.connect(port2);
  writer.publish(createKeyring(1));
  t.same(lent.map(isZero), [false], 'under way');
  t.ok(reader.keyring !== null);
  t.same(lent.map(isZero), [true], 'taken');
  writer.publish(createKeyring(2));
  writer.forget();
  t.equal(reader.keyring, null);
  t.ok(lent.every(isZero), 'overtaken by a sealing');
  // A port that is not read, as of a thread that dies.
  const unread = new MessageChannel();
  const unreadLent = recordLent(unread.port1);
  writer.connect(unread.port1);
  writer.publish(createKeyring(3));
  t.same(unreadLent.map(isZero), [false]);
  unread.port2.close();
  await waitUntil(() => unreadLent.every(isZero));
});

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
