/** Signals while something is stored: what is said of it is what became of it. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { sample } from './fixtures/sample.ts';
import { createSandbox, fillVault, finished, mav, type Sandbox, spawnMav } from './fixtures/vault.ts';

const ENTRIES = 20_000;
const PATIENCE_MS = 60_000;
const SIGHUP_BIT = 1n;
/** Signal, exit code, and how long after the start it is sent. */
const MOMENTS = [
  ['SIGINT', 130, 0],
  ['SIGTERM', 143, 300],
  ['SIGHUP', 129, 1_000],
  ['SIGINT', 130, 2_500],
] as const;

/** Until the program does something of its own at SIGHUP, which Node does not do by itself. */
async function listensToSignals(child: ChildProcess): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    if ((caught & SIGHUP_BIT) !== 0n) return;
    if (Date.now() > deadline) throw new Error('the program listens to no signal');
    await sleep(5);
  }
}

function writeEntries(sandbox: Sandbox, prefix: string): string {
  const path = join(sandbox.folder, 'entries.json');
  const entries = Array.from({ length: ENTRIES }, (_, at) => ({ name: `${prefix}-${at}`, value: 'v' }));
  writeFileSync(path, JSON.stringify(entries));
  return path;
}

async function countSecrets(sandbox: Sandbox): Promise<number> {
  return JSON.parse((await mav(sandbox, ['status', '-o', 'json'])).stdout).secret_count;
}

/** Stops imports at several moments; each stored all or nothing, and said which. */
async function stopsImports(t: Test, sandbox: Sandbox): Promise<void> {
  for (const [signal, code, delayMs] of sample(t, MOMENTS, 2)) {
    const before = await countSecrets(sandbox);
    const child = spawnMav(sandbox, ['import', writeEntries(sandbox, String(delayMs))]);
    const ending = finished(child);
    await listensToSignals(child);
    await sleep(delayMs);
    // It may have ended: then it has said what it stored.
    const wasSent = child.exitCode === null && child.kill(signal);
    const ended = await ending;
    const added = (await countSecrets(sandbox)) - before;
    if (ended.code === 0) {
      t.match([added, ended.stderr], [ENTRIES, /^Added: 20000/m]);
      continue;
    }
    t.ok(wasSent);
    t.equal(ended.code, code, `${signal} after ${delayMs} ms`);
    if (added === 0) t.match(ended.stderr, /^mav: stopped; nothing was imported$/m);
    else t.match([added, ended.stderr], [ENTRIES, /^mav: too late to stop; all of it was imported$/m]);
  }
}

const skip = process.platform === 'linux' ? false : 'there is no /proc';

t.test(
  'import > stopped by a signal, with a daemon > all or nothing, and the message says which',
  { skip },
  async (t) => stopsImports(t, await startDaemon(t, { token: false })),
);

t.test(
  'import > stopped by a signal, without a daemon > all or nothing, and the message says which',
  { skip },
  async (t) => {
    const sandbox = createSandbox(t);
    await fillVault(sandbox);
    await stopsImports(t, sandbox);
  },
);

/** `mav set` under way at a daemon that is stopped, so that no answer comes before `goOn`. */
async function setAtStopped(t: Test) {
  const daemon = await startDaemon(t, { token: false });
  const pid = daemon.child.pid as number;
  process.kill(pid, 'SIGSTOP');
  const child = spawnMav(daemon, ['set', 'x', '--value', 'v']);
  return { daemon, child, ending: finished(child), goOn: () => process.kill(pid, 'SIGCONT') };
}

t.test(
  'set > Ctrl-C before the daemon has answered > what was stored is said, then 130',
  { skip },
  async (t) => {
    const { daemon, child, ending, goOn } = await setAtStopped(t);
    try {
      await listensToSignals(child);
      child.kill('SIGINT');
      await sleep(200);
    } finally {
      goOn();
    }
    t.match(await ending, { code: 130, stderr: /Stored x\.$/m });
    t.equal((await mav(daemon, ['get', 'x'])).stdout, 'v');
  },
);

t.test('set > Ctrl-C twice > ends at once, and says that it is not known', { skip }, async (t) => {
  const { child, ending, goOn } = await setAtStopped(t);
  try {
    await listensToSignals(child);
    child.kill('SIGINT');
    // Two that come at once are one.
    await sleep(100);
    child.kill('SIGINT');
    t.match(await ending, { code: 130, stderr: /whether the change was made is not known/ });
  } finally {
    goOn();
  }
});
