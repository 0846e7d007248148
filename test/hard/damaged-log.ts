/**
 * The write-ahead log of a killed daemon, cut or changed before the next one starts: a state that was, or a refusal; never
 * half of a write, and never a wrong value.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { forgetEpochs } from '../fixtures/killed.ts';
import { hashDatabase } from '../fixtures/sealed.ts';
import { mav } from '../fixtures/vault.ts';
import { checkVault, importAll, put, putFields, type State, Writer } from '../fixtures/writes.ts';

t.setTimeout(600_000);

const allFields = (text: string) => ({ user: text, password: text, host: text });

/** What a killed daemon left. */
interface Left {
  readonly daemon: Daemon;
  readonly database: Buffer;
  readonly log: Buffer;
  /** All that there have been, in their order. */
  readonly states: readonly State[];
}

async function leaveLog(t: Test): Promise<Left> {
  const daemon = await startDaemon(t);
  const writer = new Writer('base');
  await writer.write(daemon, importAll({ k0: { value: '0', fields: allFields('0') } }));
  const states: State[] = [{}, writer.state];
  for (let count = 1; count <= 6; count++) {
    const write = count % 2 === 0 ? put('k0', `${count}`) : putFields('k0', allFields(`${count}`));
    t.equal((await writer.write(daemon, write)).status, 201);
    states.push(writer.state);
  }
  await daemon.stop('SIGKILL');
  const [database, log] = ['', '-wal'].map((suffix) => readFileSync(daemon.databasePath + suffix));
  return { daemon, database: database!, log: log!, states };
}

/** What the account has seen of the vault is put back too: else a state that was is refused, as a vault from yesterday. */
function lay({ daemon, database }: Left, log: Buffer): void {
  const { databasePath } = daemon;
  forgetEpochs(daemon);
  writeFileSync(databasePath, database);
  writeFileSync(`${databasePath}-wal`, log, { mode: 0o600 });
  rmSync(`${databasePath}-shm`, { force: true });
}

/** Which of the states that were the daemon has now, as an index; null for none. */
async function findState(daemon: Daemon, states: readonly State[]): Promise<number | null> {
  const wrong = await Promise.all(states.map((state) => new Writer('base', state).findWrong(daemon)));
  return wrong.includes(null) ? wrong.lastIndexOf(null) : null;
}

/** Answers the state, as an index; fails if it is none of those that were. */
async function opensAsItWas(t: Test, { daemon: first, states }: Left, what: string): Promise<number> {
  const daemon = await startDaemon(t, { sandbox: first, init: null });
  // Cut far enough, the log has lost what the vault knew of its audit log, too, and verifying says so.
  const damaged = (await checkVault(daemon)).damaged.filter(({ table }) => table !== 'audit');
  t.strictSame(damaged, [], `${what}: all is well`);
  const state = await findState(daemon, states);
  t.not(state, null, `${what}: one of the states that were`);
  t.equal((await daemon.stop()).code, 0);
  return state ?? 0;
}

t.test('serve > the log is cut anywhere > a state that was, no half of a write', async (t) => {
  const left = await leaveLog(t);
  const seen: number[] = [];
  for (let cut = 0; cut <= 12; cut++) {
    lay(left, left.log.subarray(0, left.log.length - Math.floor((cut * left.log.length) / 12)));
    seen.push(await opensAsItWas(t, left, `cut ${cut}`));
  }
  t.equal(seen[0], left.states.length - 1, 'uncut, nothing is lost');
  const different = new Set(seen).size;
  t.comment(`figure: the log cut at ${seen.length} places: ${different} different states, each one that was`);
  t.ok(different > 2);
});

const DAMAGED =
  /vault\.db-wal is damaged at byte (\d+), .*; restore the folder .*run: truncate -s \1 \S+vault\.db-wal/;

t.test('serve > a bit of the log is flipped > refused, untouched, or a state that was', async (t) => {
  const left = await leaveLog(t);
  const figures = { refused: 0, 'as a crash': 0 };
  for (let flip = 0; flip < 12; flip++) {
    const log = Buffer.from(left.log);
    const at = 40 + Math.floor((flip * (log.length - 41)) / 11);
    log[at]! ^= 1 << (flip % 8);
    lay(left, log);
    const before = hashDatabase(left.daemon);
    const alone = await mav(left.daemon, ['list']);
    if (alone.code === 0) {
      figures['as a crash'] += 1;
      await opensAsItWas(t, left, `byte ${at}`);
      continue;
    }
    figures.refused += 1;
    t.match(alone, { code: 5, stdout: '', stderr: DAMAGED });
    const daemon = await startDaemon(t, { sandbox: left.daemon, init: null, token: false });
    const answer = await daemon.ask('GET', '/v1/secrets/k0', { token: left.daemon.admin });
    t.match(answer, { status: 503, json: { code: 'sealed', error: DAMAGED } });
    t.equal((await daemon.stop()).code, 0);
    t.same(hashDatabase(left.daemon), before, 'untouched');
    if (flip % 4 === 0) await remedy(t, left, alone.stderr);
  }
  t.comment(`figure: 12 bits of the log flipped one by one: ${JSON.stringify(figures)}, never a wrong value`);
  t.ok(figures.refused > figures['as a crash'], 'only damage to the last write looks like a crash');
});

/** As the message says: what came after is given up, and the rest is there. */
async function remedy(t: Test, left: Left, message: string): Promise<void> {
  const [, size = '', path = ''] = /truncate -s (\d+) (\S+)/.exec(message) ?? [];
  execFileSync('truncate', ['-s', size, path]);
  forgetEpochs(left.daemon);
  await opensAsItWas(t, left, 'after the remedy');
}

const WRITES = 180;
const NAMES = 20;
const versionOf = (name: string, count: number) => `${name} ${count} `.repeat(3_000);

t.test('serve > the log is cut that is in the file already > right or refused, never wrong', async (t) => {
  const daemon = await startDaemon(t);
  for (let count = 0; count < WRITES; count++) {
    const name = `k${count % NAMES}`;
    const body = { value: versionOf(name, count) };
    t.equal((await daemon.ask('PUT', `/v1/secrets/${name}`, { body })).status, 201);
  }
  await daemon.stop('SIGKILL');
  const [database, log] = ['', '-wal'].map((suffix) => readFileSync(daemon.databasePath + suffix));
  t.ok(statSync(daemon.databasePath).size > 250_000, 'some of it is in the file');
  const figures = { newest: 0, older: 0, refused: 0, missing: 0, wrong: 0, unopened: 0 };
  for (let cut = 1; cut <= 8; cut++) {
    lay(
      { daemon, database: database!, log: log!, states: [] },
      log!.subarray(0, Math.floor((cut * log!.length) / 9)),
    );
    const next = await startDaemon(t, { sandbox: daemon, init: null, token: false });
    for (let index = 0; index < NAMES; index++) {
      const { status, json } = await next.ask('GET', `/v1/secrets/k${index}`, { token: daemon.admin });
      const written = Array.from({ length: WRITES }, (_, count) => count).filter(
        (count) => count % NAMES === index,
      );
      const found = written.findIndex((count) => json?.value === versionOf(`k${index}`, count));
      if (status === 503) figures.unopened += 1;
      else if (status === 500 && json.code === 'integrity') figures.refused += 1;
      else if (status === 404 || status === 401) figures.missing += 1;
      else if (status !== 200 || found < 0) figures.wrong += 1;
      else if (found === written.length - 1) figures.newest += 1;
      else figures.older += 1;
    }
    t.equal((await next.stop()).code, 0);
  }
  t.equal(figures.wrong, 0);
  t.comment(`figure: a log that was in the file already, cut at 8 places: ${JSON.stringify(figures)}`);
});
