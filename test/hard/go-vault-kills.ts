/**
 * The import from the Go program that replaces its vault, cut short at every step: one of the two vaults is in its place, whole,
 * and the next run finishes it.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { type GoVault, writeGoVault } from '../fixtures/go-vault.ts';
import { buildKiller, runToCall } from '../fixtures/killer.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { BIN, createSandbox, finished, mav, mavAlone, type Sandbox } from '../fixtures/vault.ts';

t.jobs = 2;

const COUNT = 40;
const VALUES = Array.from({ length: COUNT }, (_, index) => `${index}`.repeat(2_000));
/** More than it makes: one that never ends is a mistake of the test. */
const MAX_CALLS = 300;

interface Placed extends GoVault {
  readonly sandbox: Sandbox;
}

function place(t: Test): Placed {
  const sandbox = createSandbox(t);
  return { sandbox, ...replaceAll(sandbox) };
}

/** Lays the Go program's vault into an empty folder. */
function replaceAll({ home, folder }: Sandbox): GoVault {
  for (const path of [home, join(folder, 'home')]) rmSync(path, { recursive: true, force: true });
  return writeGoVault(home, {
    secrets: VALUES.map((value, index) => ({ name: `s${index}`, value })),
    fields: [{ name: 's0', field: 'f', value: 'field' }],
  });
}

const argsOf = ({ sandbox, keyFile }: Placed) => [
  ...['import', '--from-maestrovault', sandbox.home, '--key-file', keyFile],
  ...['--key-store', 'file'],
];

/** Returns null if one of the two vaults is whole in its place, and the next run leaves the new one there; else what is wrong. */
async function findLoss(placed: Placed): Promise<string | null> {
  const { sandbox, path } = placed;
  const listed = await mav(sandbox, ['list']);
  const isOld = listed.stderr.includes('is a vault of the Go program');
  if (!isOld && listed.code !== 0) return `neither: ${listed.stderr}`;
  const next = await mav(sandbox, argsOf(placed));
  if (isOld ? next.code !== 0 : !next.stderr.includes('is a vault of mav already'))
    return `the next run: ${next.stderr}`;
  const { secrets } = JSON.parse((await mav(sandbox, ['export'])).stdout);
  const isWhole = VALUES.every((value, index) =>
    secrets.some((one: { name: string; value: string }) => one.name === `s${index}` && one.value === value),
  );
  if (!isWhole || secrets.length !== COUNT) return `${secrets.length} secrets`;
  if (countKept(path) !== COUNT) return 'the old vault is not kept whole';
  const left = readdirSync(sandbox.home).filter((name) => name.startsWith('vault.db.import'));
  if (left.length > 0) return `left: ${left}`;
  const verified = await mav(sandbox, ['audit', 'verify']);
  return verified.code === 0 ? null : `the log: ${verified.stderr}`;
}

function countKept(path: string): unknown {
  const db = new Database(`${path}.go-v3.bak`, { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM secrets').pluck().get();
  } finally {
    db.close();
  }
}

t.test(
  'import --from-maestrovault > killed at every sync, rename and removal in turn > one vault is whole, the next run finishes',
  { skip: skipWithout('cc') },
  async (t) => {
    const { sandbox } = place(t);
    const killer = buildKiller(sandbox.folder);
    let nth = 1;
    for (; nth <= MAX_CALLS; nth++) {
      const again = { sandbox, ...replaceAll(sandbox) };
      const wasKilled = await runToCall(sandbox, argsOf(again), nth, killer);
      t.equal(await findLoss(again), null, `call ${nth}`);
      if (!wasKilled) break;
    }
    t.comment(`figure: an import from the Go program: killed at ${nth - 1} calls`);
    t.ok(nth > 20 && nth <= MAX_CALLS, 'it was killed, and at last it was not');
  },
);

t.test('import --from-maestrovault > two at once > one replaces, the other says why not', async (t) => {
  for (let round = 0; round < 3; round++) {
    const placed = place(t);
    const ran = await Promise.all([1, 2].map(() => mavAlone(placed.sandbox, argsOf(placed))));
    t.same(ran.map(({ code }) => code).toSorted(), [0, 1], ran.map(({ stderr }) => stderr).join());
    const refused = ran.find(({ code }) => code === 1)?.stderr;
    t.match(refused, /is held by `mav import`|is a vault of mav already/);
    t.equal(await findLoss(placed), null);
  }
});

t.test(
  'import --from-maestrovault > Ctrl-C while it works > nothing is replaced, nothing is left',
  async (t) => {
    const placed = place(t);
    const { sandbox, path } = placed;
    const before = readFileSync(path);
    for (const delayMs of [150, 300, 450, 600, 900]) {
      const child = spawn(process.execPath, [BIN, ...argsOf(placed)], {
        cwd: sandbox.folder,
        env: sandbox.env,
      });
      setTimeout(() => child.kill('SIGINT'), delayMs);
      const { code } = await finished(child);
      if (code === 0) break;
      if (!existsSync(`${path}.go-v3.bak`)) t.ok(readFileSync(path).equals(before), `after ${delayMs} ms`);
    }
    t.equal(await findLoss(placed), null);
  },
);
