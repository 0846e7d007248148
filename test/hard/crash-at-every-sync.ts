/**
 * Killed at every sync of the disk in turn: no acknowledged write is lost, no half of one is seen, and every row opens.
 */
import { cpSync, globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { allFields, numbered, restart } from '../fixtures/killed.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { createSandbox, knowVault, type Sandbox } from '../fixtures/vault.ts';
import {
  findDamage,
  importAll,
  purge,
  put,
  putFields,
  remove,
  restore,
  rollBack,
  type State,
  type Write,
  Writer,
} from '../fixtures/writes.ts';

t.jobs = 2;

const ENVIRONMENT = 'base';

/** What is there before the writes. */
const BASE: State = numbered(6, (index) => [
  `k${index}`,
  { value: `old ${index}`, fields: allFields('old') },
]);

const baseOf = (name: string) => BASE[name] ?? {};

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
  history: [
    put('k0', 'new'),
    putFields('k0', allFields('new')),
    rollBack('k0', 1, baseOf('k0')),
    remove('k1'),
    restore('k1', baseOf('k1')),
    purge('k2'),
    // The first versions are deleted by the tenth of these.
    ...Array.from({ length: 11 }, (_, index) => put('k3', String.fromCodePoint(97 + index).repeat(LARGE))),
    remove('k3'),
    restore('k3', { ...baseOf('k3'), value: 'k'.repeat(LARGE) }),
    purge('k3'),
  ],
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

/** Returns what the audit log lacks after so many acknowledged writes; null if it is whole. */
async function findUnlogged(daemon: Daemon, acknowledged: number): Promise<string | null> {
  const { json: log } = await daemon.ask('GET', '/v1/audit/verify');
  if (log.status !== 'intact') return `the log is ${log.status}: ${JSON.stringify(log.problems)}`;
  const { json } = await daemon.ask('GET', '/v1/audit?limit=1000');
  const changes = json.entries.filter(
    ({ secrets = [], result }: { secrets?: { change?: string }[]; result: string }) =>
      result === 'ok' && secrets.some(({ change }) => change !== undefined),
  );
  // The import of the base is the first.
  return changes.length > acknowledged ? null : `${changes.length} entries for ${acknowledged} writes`;
}

for (const [what, writes] of Object.entries(WRITES)) {
  t.test(
    `${what} > killed at every sync in turn > what was acknowledged is there, and no half of the next`,
    { skip: skipWithout('strace') },
    async (t) => {
      const prepared = await prepare(t);
      const { sandbox, admin, copy } = prepared;
      const acknowledged: number[] = [];
      const runOnce = async (nth: number): Promise<boolean> => {
        rmSync(sandbox.home, { recursive: true });
        cpSync(copy, sandbox.home, { recursive: true });
        // The copy is older than what was seen of the vault since. After each kill the vault must open with what was seen.
        for (const seen of globSync(join(dirname(knowVault(sandbox).knownVaultsPath), '*.epoch')))
          rmSync(seen);
        const writer = new Writer(ENVIRONMENT, BASE);
        const wasKilled = await runToSync(t, prepared, writer, writes, nth);
        const daemon = await restart(t, sandbox, admin);
        t.same(await findDamage(daemon, [writer]), [], `sync ${nth}`);
        t.equal(await findUnlogged(daemon, writer.acknowledged), null, `sync ${nth}`);
        t.equal((await writer.write(daemon, put('after', 'all'))).status, 201, 'and service goes on');
        await daemon.stop();
        if (wasKilled) acknowledged.push(writer.acknowledged - 1);
        return wasKilled;
      };
      let nth = 1;
      while (nth <= MAX_SYNCS && (await runOnce(nth))) nth += 1;
      // The log's eraser syncs by the clock, so that a sync of one run may have another number in the next: the last
      // write's own may have been passed over, and is looked for again from the end.
      const isLastKilled = () => acknowledged.includes(writes.length - 1);
      for (let back = 1; back < nth && !isLastKilled(); back++) await runOnce(nth - back);
      t.comment(
        `figure: ${what}: ${acknowledged.length} syncs, killed at each, after ${acknowledged.join(' ')} writes`,
      );
      t.ok(nth <= MAX_SYNCS, 'one run saw no kill');
      t.ok(acknowledged.length > writes.length);
      t.ok(isLastKilled(), 'the last write was under way once, and so all of them were');
    },
  );
}
