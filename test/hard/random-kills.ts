/**
 * Killed five hundred times at random moments, each time with several writers at work: no acknowledged write is lost, no
 * half of one is seen, and every row opens. The daemon that is looked at after a kill is the next one to be killed.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import { allFields, numbered, restart } from '../fixtures/killed.ts';
import { waitUntil } from '../fixtures/raw.ts';
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

/** Less than a test file may take: then it fails for what it has not done. */
const PATIENCE_MS = 570_000;
t.setTimeout(PATIENCE_MS + 20_000);

const KILLS = 500;
/** A busy machine makes fewer in the time that there is. */
const MIN_KILLS = KILLS / 2;
/** Beside each other: starting is most of the time, and takes one core for half of its. */
const VAULTS = 3;
/** Of each vault. */
const WRITERS = 6;
/** A kill comes after so many writes were acknowledged, at most, and then at any moment of so long: mostly amid of one. */
const MAX_WRITES = 24;
const MAX_DELAY_MS = 20;

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

interface Progress {
  kills: number;
  acknowledged: number;
  /** Kills before which something had been acknowledged. */
  fruitful: number;
}

/** Kills one vault's daemon again and again, until all of the vaults together have had enough. */
async function killAgainAndAgain(t: Test, progress: Progress, endAt: number): Promise<void> {
  const first = await startDaemon(t);
  const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(`w${index}`));
  const total = () => writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  let daemon: Daemon = first;
  while (progress.kills < KILLS && Date.now() < endAt) {
    progress.kills += 1;
    const before = total();
    const writing = Promise.all(writers.map((writer) => writeUntilKilled(daemon, writer)));
    const enough = before + randomInt(MAX_WRITES);
    await waitUntil(() => total() >= enough);
    await sleep(randomInt(MAX_DELAY_MS));
    t.equal((await daemon.stop('SIGKILL')).signal, 'SIGKILL');
    await writing;
    if (total() > before) progress.fruitful += 1;
    daemon = await restart(t, first, first.admin);
    t.same(await findDamage(daemon, writers), [], 'nothing is lost, half or damaged');
  }
  await daemon.stop();
  progress.acknowledged += total();
}

t.test('kill -9 > at random moments under concurrent writers > nothing acknowledged is lost', async (t) => {
  const progress: Progress = { kills: 0, acknowledged: 0, fruitful: 0 };
  const startedAt = Date.now();
  const vaults = Array.from({ length: VAULTS }, () =>
    killAgainAndAgain(t, progress, startedAt + PATIENCE_MS),
  );
  await Promise.all(vaults);
  const { kills, acknowledged, fruitful } = progress;
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  t.comment(
    `figure: ${kills} kills at random moments in ${seconds} s, ${acknowledged} acknowledged writes, none lost, no half of one`,
  );
  t.ok(kills >= MIN_KILLS, `${kills} kills, however busy the machine is`);
  t.ok(fruitful > kills / 2, `there was something to lose: before ${fruitful} of the kills`);
});
