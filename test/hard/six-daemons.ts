/** Six daemons start at once on a vault whose last daemon was killed: one serves, the others say so and harm nothing. */
import type { ChildProcess } from 'node:child_process';
import { lstatSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ask } from '../fixtures/ask.ts';
import { startDaemon } from '../fixtures/daemon.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { type Finished, finished, mav, type Sandbox, spawnMav } from '../fixtures/vault.ts';

const ROUNDS = 20;
const DAEMONS = 6;
/** `mav: ` and one sentence; who has just begun may not have left word of itself yet. */
const REFUSAL =
  /^mav: the vault in \S+ is held by (?:`mav serve`, process (\d+), since [\d-]+ [\d:]+|another process)\n$/;

interface Run {
  readonly child: ChildProcess;
  readonly end: Promise<Finished>;
}

/** What the daemons of one round are seen to do. */
interface Round {
  readonly winner: Run;
  readonly lost: readonly Finished[];
}

const isRunning = ({ child }: Run) => child.exitCode === null && child.signalCode === null;

function start(t: Test, sandbox: Sandbox): Run[] {
  const runs = Array.from({ length: DAEMONS }, () => {
    const child = spawnMav(sandbox, ['serve'], { stdio: ['ignore', 'pipe', 'pipe'] });
    return { child, end: finished(child) };
  });
  t.teardown(async () => {
    for (const { child } of runs.filter(isRunning)) child.kill('SIGKILL');
    await Promise.all(runs.map(({ end }) => end));
  });
  return runs;
}

/** Starts six and waits until five have ended and somebody answers. */
async function race(t: Test, sandbox: Sandbox): Promise<Round> {
  const runs = start(t, sandbox);
  await waitUntil(() => runs.filter(isRunning).length <= 1);
  const [winner] = runs.filter(isRunning);
  if (winner === undefined) throw new Error('none of the six serves');
  await waitUntil(() => isAnswering(sandbox.socket));
  return { winner, lost: await Promise.all(runs.filter((run) => run !== winner).map(({ end }) => end)) };
}

async function isAnswering(socket: string): Promise<boolean> {
  try {
    return (await ask(socket, 'GET', '/v1/health')).status === 200;
  } catch {
    return false;
  }
}

/** Those of the five that did not end as they should. */
function findOddEnds({ winner, lost }: Round): Finished[] {
  return lost.filter(({ code, stdout, stderr }) => {
    const [line, pid] = REFUSAL.exec(stderr) ?? [];
    return (
      code !== 1 || stdout !== '' || line === undefined || ![undefined, `${winner.child.pid}`].includes(pid)
    );
  });
}

t.test(
  `serve > killed, then six at once, ${ROUNDS} rounds > one serves, five say so and leave it alone`,
  async (t) => {
    const first = await startDaemon(t);
    const { admin } = first;
    t.equal((await first.ask('PUT', '/v1/secrets/kept', { body: { value: 'v' } })).status, 201);
    await first.stop('SIGKILL');
    let named = 0;
    let longestMs = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      t.ok(lstatSync(first.socket).isSocket(), 'a stale socket lies there');
      const staleInode = lstatSync(first.socket).ino;
      const startedAt = performance.now();
      const result = await race(t, first);
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      t.same(findOddEnds(result), [], 'the five end with 1 and name the process that has the vault');
      named += result.lost.filter(({ stderr }) =>
        stderr.includes(`process ${result.winner.child.pid},`),
      ).length;
      const answer = await ask(first.socket, 'GET', '/v1/secrets/kept', { token: admin });
      t.match(answer, { status: 200, json: { value: 'v' } }, 'the one has the vault open');
      t.match(
        await mav(first, ['token', 'list']),
        { code: 0 },
        'its session token is the one that lies there',
      );
      t.not(lstatSync(first.socket).ino, staleInode, 'the socket is a new one');
      result.winner.child.kill('SIGKILL');
      await result.winner.end;
    }
    t.comment(`figure: ${ROUNDS} rounds, ${ROUNDS} times exactly one of ${DAEMONS} served`);
    t.comment(
      `figure: ${named} of ${ROUNDS * (DAEMONS - 1)} refusals named its process, the longest round took ${Math.round(longestMs)} ms`,
    );
  },
);
