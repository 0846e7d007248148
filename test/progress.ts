/** Progress of what takes long: how far it is, on a terminal's standard error and nowhere else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Progress } from '../src/cli/terminal/progress.ts';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { RUNS_WHOLE_SWEEPS } from './fixtures/sample.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skip = skipWithout('python3');
/** Each command takes about a second for them, and says how far it is after half a second. */
const COUNT = 16_000;

function writeSecrets({ folder }: Sandbox): string {
  const file = join(folder, 'many.json');
  const value = 'v'.repeat(100);
  const secrets = Array.from({ length: COUNT }, (_, index) => ({
    name: `s${index}`,
    environment: '',
    value,
  }));
  writeFileSync(file, JSON.stringify({ format: 'maestrovault-export', version: 1, secrets }));
  return file;
}

function readCounts(shown: string, text: string): number[] {
  // A rotation counts the segments of the audit log, too.
  const line = new RegExp(`${text}: (\\d+) of (\\d+)`, 'g');
  return [...shown.matchAll(line)]
    .filter(([, , total]) => Number(total) >= COUNT)
    .map(([, done]) => Number(done));
}

function checkCounts(t: Test, shown: string, text: string): void {
  const counts = readCounts(shown, text);
  t.ok(counts.length > 0, `${text}: says how far`);
  t.same(
    counts,
    counts.toSorted((a, b) => a - b),
    `${text}: it grows`,
  );
}

for (const isServed of [true, false]) {
  const way = isServed ? 'with a daemon' : 'without a daemon';
  t.test(`import, rotate, check > on a terminal > say how far they are > ${way}`, { skip }, async (t) => {
    const sandbox = isServed ? await startDaemon(t, { token: false }) : createSandbox(t);
    if (!isServed) await fillVault(sandbox);
    const file = writeSecrets(sandbox);
    const show = async (...args: string[]) => {
      const { code, shown } = await mavOnTerminal(t, sandbox, args).ended();
      t.equal(code, 0, args.join(' '));
      return shown;
    };
    checkCounts(t, await show('import', file), 'Storing secrets');
    checkCounts(t, await show('key', 'rotate'), 'Wrapping the keys of the secrets');
    // What decides whether it is shown knows nothing of daemons, so `npm test` looks with one only.
    if (!isServed && !RUNS_WHOLE_SWEEPS) return;
    t.notMatch(await show('import', file, '-q'), / of \d+/);
    const piped = await mav(sandbox, ['import', file, '--force']);
    t.equal(piped.stderr.split('\n')[0], 'Added: 0', 'nothing of it where nobody looks');
  });
}

t.test('health > the session asks, or anybody else > only the session is told how far work is', async (t) => {
  const daemon = await startDaemon(t);
  const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket));
  const health = async (token: string | null) =>
    (await ask(daemon.socket, 'GET', '/v1/health', { token })).json;
  t.same((await health(session)).progress, {});
  t.equal((await health(daemon.admin)).progress, undefined);
  t.equal((await health(null)).progress, undefined);
  t.equal((await health(`mvs_${'0'.repeat(64)}`)).status, 'ok', 'a wrong token is no matter here');
});

t.test('progress > where nobody looks, or quiet > is not shown', async (t) => {
  const env = { TERM: 'xterm' };
  const shown = (screen: { isErrorTerminal: boolean; isQuiet: boolean; env: NodeJS.ProcessEnv }) =>
    new Progress({ context: screen }).isShown;
  t.equal(shown({ isErrorTerminal: true, isQuiet: false, env }), true);
  t.equal(shown({ isErrorTerminal: false, isQuiet: false, env }), false);
  t.equal(shown({ isErrorTerminal: true, isQuiet: true, env }), false);
  t.equal(shown({ isErrorTerminal: true, isQuiet: false, env: { TERM: 'dumb' } }), false);
});
