/**
 * Killed at every sync of the disk in turn, and at random moments under concurrent writers: no acknowledged write is
 * lost, no half of one is seen, and every row opens.
 */
import { randomInt } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { skipWithout } from '../fixtures/programs.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { createSandbox, type Daemon, type Sandbox, startDaemon } from '../fixtures/vault.ts';
import {
  findDamage,
  importAll,
  put,
  putFields,
  remove,
  type State,
  type Write,
  Writer,
} from '../fixtures/writes.ts';

t.jobs = 2;

const FIELDS = ['user', 'password', 'host', 'port', 'realm'];
const allFields = (text: string) => Object.fromEntries(FIELDS.map((field) => [field, `${field} ${text}`]));
const numbered = (count: number, make: (index: number) => readonly [string, object]) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => make(index))) as State;

const ENVIRONMENT = 'base';

/** What is there before the writes. */
const BASE: State = numbered(6, (index) => [
  `k${index}`,
  { value: `old ${index}`, fields: allFields('old') },
]);

/** Large enough for a checkpoint of the write-ahead log, which comes at 4 MB, amid of the writes. */
const LARGE = 700_000;

/** The last of each makes a checkpoint. */
const WRITES: Readonly<Record<string, readonly Write[]>> = {
  put: [
    put('k0', 'new'),
    put('made', 'new'),
    ...Array.from({ length: 6 }, (_, index) => put(`large${index}`, `${index}`.repeat(LARGE))),
  ],
  fields: [
    putFields('k0', allFields('new')),
    putFields('fields-only', allFields('new')),
    ...Array.from({ length: 3 }, (_, index) =>
      putFields(`large${index}`, {
        one: '1'.repeat(LARGE / 2),
        two: '2'.repeat(LARGE / 2),
        ...allFields('new'),
      }),
    ),
    putFields('k1', allFields('newer')),
  ],
  delete: Object.keys(BASE).map(remove),
  import: [
    importAll(numbered(4, (index) => [`k${index}`, { value: 'new', fields: allFields('new') }])),
    importAll(
      numbered(8, (index) => [
        `large${index}`,
        { value: `${index}`.repeat(LARGE), fields: allFields('new') },
      ]),
    ),
    importAll(numbered(4, (index) => [`k${index + 2}`, { value: 'newer', fields: allFields('newer') }])),
  ],
};

/** More than any of the runs has syncs: one that never ends is a mistake of the test. */
const MAX_SYNCS = 100;

interface Prepared {
  readonly sandbox: Sandbox;
  readonly admin: string;
  /** A copy of the vault's folder. */
  readonly copy: string;
}

/** A vault with the base in it, stopped. */
async function prepare(t: Test): Promise<Prepared> {
  const sandbox = createSandbox(t);
  const daemon = await startDaemon(t, { sandbox });
  await new Writer(ENVIRONMENT).write(daemon, importAll(BASE));
  await daemon.stop();
  const copy = join(sandbox.folder, 'copy');
  cpSync(sandbox.home, copy, { recursive: true });
  return { sandbox, admin: daemon.admin, copy };
}

/** The same daemon with the admin token of the one that made the vault. */
function withAdmin(daemon: Daemon, admin: string): Daemon {
  return {
    ...daemon,
    admin,
    ask: (method, target, given) => daemon.ask(method, target, { token: admin, ...given }),
  };
}

async function restart(
  t: Test,
  sandbox: Sandbox,
  admin: string,
  under: readonly string[] = [],
): Promise<Daemon> {
  return withAdmin(await startDaemon(t, { sandbox, init: null, token: false, under }), admin);
}

/** Starts the daemon, writes and stops it, unless it is killed at its `nth` sync. Answers whether it was. */
async function runToSync(
  t: Test,
  { sandbox, admin }: Prepared,
  writer: Writer,
  writes: readonly Write[],
  nth: number,
): Promise<boolean> {
  const trace = join(sandbox.folder, 'trace');
  rmSync(trace, { force: true });
  const calls = 'fdatasync,fsync';
  const kill = ['-e', `trace=${calls}`, '-e', `inject=${calls}:signal=KILL:when=${nth}`];
  // -D: the tracer is the grandchild, so that the process that is signalled is the daemon. Not with --seccomp-bpf, with
  // which it miscounts the calls.
  const under = ['strace', '-D', '-f', ...kill, '-o', trace];
  try {
    const daemon = await restart(t, sandbox, admin, under);
    for (const write of writes) {
      const { status } = await writer.write(daemon, write);
      if (status >= 300) throw new Error(`a write answered ${status}`);
    }
    const { code, signal } = await daemon.stop();
    if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the daemon ended with ${code ?? signal}`);
    return signal === 'SIGKILL';
  } catch (error) {
    const wasKilled = () => readFileSync(trace, 'utf8').includes('+++ killed by SIGKILL +++');
    await waitUntil(wasKilled).catch(() => {
      throw error;
    });
    return true;
  }
}

const WRITERS = 6;
/** How long this goes on; the number of kills is what fits. */
const KILLING_MS = 45_000;
/** Fewer would show little; five times as many fit on two idle cores. */
const MIN_KILLS = 20;
/** From the first write to the kill, at most. */
const MAX_LIFE_MS = 150;

/** One of every kind, and now and then a large one, so that checkpoints come, too. */
function chooseWrite(state: State, count: number): Write {
  const name = `k${randomInt(8)}`;
  const text = `${count}`;
  const stored = Object.keys(state);
  switch (randomInt(5)) {
    case 0:
      return putFields(name, allFields(text));
    case 1:
      return stored.length > 0 ? remove(stored[randomInt(stored.length)]!) : put(name, text);
    case 2:
      return importAll(numbered(4, (index) => [`k${index * 2}`, { value: text, fields: allFields(text) }]));
    case 3:
      return put(name, randomInt(4) === 0 ? text.repeat(100_000) : text);
    default:
      return put(name, text);
  }
}

/** Writes until no answer comes; throws on one that refuses. */
async function writeUntilKilled(daemon: Daemon, writer: Writer): Promise<void> {
  for (let count = 0; ; count++) {
    const answer = await writer.write(daemon, chooseWrite(writer.state, count)).catch(() => null);
    if (answer === null) return;
    if (answer.status >= 300) throw new Error(`a write answered ${answer.status}`);
  }
}

t.test('kill -9 > at random moments under concurrent writers > nothing acknowledged is lost', async (t) => {
  const first = await startDaemon(t);
  const { admin } = first;
  const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(`w${index}`));
  const total = () => writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  let daemon: Daemon = first;
  let kills = 0;
  for (const end = Date.now() + KILLING_MS; Date.now() < end; kills++) {
    const writing = Promise.all(writers.map((writer) => writeUntilKilled(daemon, writer)));
    await sleep(randomInt(MAX_LIFE_MS));
    await daemon.stop('SIGKILL');
    await writing;
    daemon = await restart(t, first, admin);
    t.same(await findDamage(daemon, writers), [], `kill ${kills + 1}`);
  }
  await daemon.stop();
  t.comment(
    `figure: ${kills} kills at random moments, ${total()} acknowledged writes, none lost, no half of one`,
  );
  t.ok(kills >= MIN_KILLS && total() > 2 * kills, 'there was something to lose');
});

for (const [what, writes] of Object.entries(WRITES)) {
  t.test(
    `${what} > killed at every sync in turn > what was acknowledged is there, and no half of the next`,
    { skip: skipWithout('strace') },
    async (t) => {
      const prepared = await prepare(t);
      const { sandbox, admin, copy } = prepared;
      const acknowledged: number[] = [];
      for (let nth = 1; nth <= MAX_SYNCS; nth++) {
        rmSync(sandbox.home, { recursive: true });
        cpSync(copy, sandbox.home, { recursive: true });
        const writer = new Writer(ENVIRONMENT, BASE);
        const wasKilled = await runToSync(t, prepared, writer, writes, nth);
        const daemon = await restart(t, sandbox, admin);
        t.same(await findDamage(daemon, [writer]), [], `sync ${nth}`);
        t.equal((await writer.write(daemon, put('after', 'all'))).status, 201, 'and service goes on');
        await daemon.stop();
        if (!wasKilled) break;
        acknowledged.push(writer.acknowledged - 1);
      }
      t.comment(
        `figure: ${what}: ${acknowledged.length} syncs, killed at each, after ${acknowledged.join(' ')} writes`,
      );
      t.ok(acknowledged.length < MAX_SYNCS, 'one run saw no kill');
      // One of them at the last write's own sync: all of the writes were under way once.
      t.ok(acknowledged.length > writes.length && acknowledged.includes(writes.length - 1));
    },
  );
}
