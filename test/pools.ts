/** Threads that die: the pool is whole again, and each call is answered. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import type { CallResult } from '../src/call-result.ts';
import type { Call, ControlOperation } from '../workers/messages.ts';
import { importBuilt } from './fixtures/built.ts';
import { bodyOf, encode, put, turn } from './fixtures/pools.ts';
import { waitUntil } from './fixtures/raw.ts';
import { createSandbox, knowVault, mav } from './fixtures/vault.ts';

// Threads are started by the dozen.
t.setTimeout(550_000);

const { HeldVault } =
  await importBuilt<typeof import('../src/daemon/held-vault.ts')>('src/daemon/held-vault.js');

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
  await vault.run('writer', put('a'));
  // Until both threads have the keyring.
  t.ok((await vault.run('readers', get('a'))).ok);
  return { vault, threads, events };
}

/** Asks for something short while a long read is under way, so there are two readers afterwards if there may be two. */
async function readBesideCheck(t: Test, vault: InstanceType<typeof HeldVault>): Promise<void> {
  const asked = [
    vault.run('long-readers', control('vault.check' as ControlOperation)),
    vault.run('readers', get('a')),
  ];
  t.ok((await Promise.all(asked)).every((answered) => answered.ok));
}

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

/** Ends all these threads, and until they have ended each that would replace one of them. */
async function endEvery(threads: readonly Worker[]): Promise<void> {
  const end = (thread: Worker) => void thread.terminate();
  process.on('worker', end);
  await Promise.all(threads.map((thread) => thread.terminate()));
  process.off('worker', end);
}

t.test(
  'pools > the writer dies with 300 calls on it > each is answered, and the pool is whole again',
  async (t) => {
    const { vault, threads, events } = await holdVault(t, 1);
    // The reader was started first.
    const [, writer] = threads;
    const names = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const running = Promise.all(names.map((name) => vault.run('writer', put(name))));
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
      await vault.run('writer', put('after')),
      { ok: true },
      'the new thread got the keyring from the others',
    );
    t.match(await vault.run('readers', get('after')), { ok: true });
    for (const [index, answered] of answers.entries()) {
      if (answered.ok) t.match(await vault.run('readers', get(names[index] ?? '')), { ok: true });
    }
    t.equal(threads.length, 3, 'one thread more than at the start');
  },
);

t.test(
  'pools > a thread dies, idle or at work > the next call is served, and one line in the log',
  async (t) => {
    const { vault, threads, events } = await holdVault(t, 2);
    await readBesideCheck(t, vault);
    await threads[0]?.terminate();
    t.same(deathsIn(events), ['worker-died: reader: exit 1'], 'idle');
    t.match(await vault.run('readers', get('a')), { ok: true });
    const reads = Promise.all(Array.from({ length: 40 }, () => vault.run('readers', get('a'))));
    await turn();
    await threads[2]?.terminate();
    const writing = vault.run('control', control('keys.rotate'));
    await turn();
    await threads[1]?.terminate();
    await Promise.all([reads, writing]);
    t.match(await vault.run('readers', get('a')), { ok: true });
    t.match(await vault.run('writer', put('a')), { ok: true });
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
    const calls = await Promise.all([vault.run('writer', put('a')), vault.run('readers', get('a'))]);
    for (const answered of calls) t.ok(answered.ok || ['internal', 'busy', 'sealed'].includes(answered.code));
    await waitUntil(() => killed() === 4);
    await waitUntil(async () => (await vault.run('writer', put('b'))).ok);
    await waitUntil(async () => (await vault.run('readers', get('b'))).ok);
    t.equal(deathsIn(events).length, 6);
    t.equal(threads.length, 8, 'as many as have died, and two that live');
    t.equal(vault.sealedBecause, null, 'unsealed again, as at the start');
    t.ok(events.includes('unsealed: '));
  },
);

t.test('pools > reads beside a long one > another reader, until one was enough for a minute', async (t) => {
  const { vault, threads, events } = await holdVault(t, 2);
  t.equal(threads.length, 2, 'at first a reader and the writer');
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  await readBesideCheck(t, vault);
  const [, , second] = threads;
  t.equal(threads.length, 3, 'two readers and the writer');
  let isEnded = false;
  second?.once('exit', () => {
    isEnded = true;
  });
  await readBesideCheck(t, vault);
  t.equal(threads.length, 3, 'and no more');
  for (; !isEnded; await turn()) mock.timers.tick(60_000);
  for (let round = 0; round < 3; round++) t.match(await vault.run('readers', get('a')), { ok: true });
  t.match(await vault.run('long-readers', control('vault.check' as ControlOperation)), { ok: true });
  t.equal(threads.length, 3, 'calls one after the other start none');
  t.match(
    await vault.run('control', control('vault.seal')),
    { ok: true },
    'sealing waits for no thread that is gone',
  );
  t.match(await vault.unseal(), { ok: true });
  await readBesideCheck(t, vault);
  t.equal(threads.length, 4, 'again where it is needed');
  t.same(deathsIn(events), []);
});

t.test(
  'pools > every thread dies, and the key needs a passphrase > the vault says that it is sealed',
  async (t) => {
    const { vault, threads } = await holdVault(t, 1, 'passphrase');
    await endEvery(threads);
    t.match(vault.sealedBecause, { reason: 'unsealing', message: /unsealed again/ });
    await waitUntil(() => vault.sealedBecause?.reason !== 'unsealing');
    t.match(vault.sealedBecause, { reason: 'needs_passphrase' });
    t.match(await vault.run('readers', get('a')), { ok: false, code: 'sealed' });
    t.match(await vault.unseal(encode({ passphrase: PASSPHRASE })), { ok: true });
    t.match(await vault.run('readers', get('a')), { ok: true });
  },
);

t.test(
  'pools > the writer dies while it seals, then every thread > the vault is sealed, and stays so',
  async (t) => {
    const { vault, threads } = await holdVault(t, 2);
    await readBesideCheck(t, vault);
    const sealing = vault.run('control', control('vault.seal'));
    await turn();
    await threads[1]?.terminate();
    t.match(await sealing, { ok: true });
    t.match(vault.sealedBecause, { reason: 'sealed', message: 'the vault is sealed' });
    const reads = Array.from({ length: 64 }, () => vault.run('readers', get('a')));
    t.ok((await Promise.all(reads)).every((answered) => !answered.ok && answered.code === 'sealed'));
    await Promise.all(threads.map((thread) => thread.terminate()));
    t.match(await vault.run('readers', get('a')), { ok: false, code: 'sealed' });
    t.match(await vault.run('writer', put('a')), { ok: false, code: 'sealed' });
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
    const note = async (running: Promise<CallResult>) => {
      const start = performance.now();
      const answered = await running;
      longestMs = Math.max(longestMs, performance.now() - start);
      codes.add(answered.ok ? 'ok' : answered.code);
    };
    const repeat = async (ask: () => Promise<CallResult>) => {
      while (!isOver) {
        await note(ask());
        // What is refused at once must not keep the threads from being heard.
        await turn();
      }
    };
    const asking = [
      repeat(() => vault.run('writer', put('a'))),
      repeat(() => vault.run('readers', get('a'))),
      repeat(() => vault.run('control', control('keys.rotate'))),
      repeat(() => vault.unseal()),
    ];
    for (let round = 0; round < 25; round++) {
      await note(vault.run('control', control('vault.seal')));
      await waitUntil(() => vault.sealedBecause === null);
    }
    isOver = true;
    await Promise.all(asking);
    t.same(
      [...codes].filter((code) => !['ok', 'sealed', 'conflict'].includes(code)),
      [],
    );
    t.ok(longestMs < 30_000, `the longest answer took ${Math.round(longestMs)} ms`);
    t.match(await vault.unseal(), { ok: true });
    // A rotation that the last sealing interrupted goes on by itself, and only one is under way at a time.
    let rotated = await vault.run('control', control('keys.rotate'));
    while (!rotated.ok && rotated.code === 'conflict') {
      await turn();
      rotated = await vault.run('control', control('keys.rotate'));
    }
    t.match(rotated, { ok: true }, 'and the vault is whole');
    const check = await vault.run('readers', control('vault.check' as ControlOperation));
    t.match(JSON.parse(bodyOf(check)), { damaged: [] });
  },
);
