/** The import from the Go program on a disk that is too small, and of a vault that is large. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type GoVault, writeGoVault } from '../fixtures/go-vault.ts';
import { createSmallSandbox, onSmallDisk } from '../fixtures/small-disk.ts';
import { BIN, createSandbox, createVault, mav, type Sandbox } from '../fixtures/vault.ts';

const KIB = 1_024;
/** KiB that are free beside the old vault: from next to none to enough for the new one. */
const FREE_KIB = [8, 32, 64, 96, 128, 160, 192, 256, 320, 384, 448, 512, 640, 768, 1_024, 4_096];

const argsOf = ({ home }: Sandbox, { keyFile }: GoVault) => [
  ...['import', '--from-maestrovault', home, '--key-file', keyFile],
  ...['--key-store', 'file'],
];

function resize({ home }: Sandbox, kib: number): void {
  const { status } = spawnSync('mount', ['-o', `remount,size=${kib}k`, home], { stdio: 'ignore' });
  if (status !== 0) throw new Error('the file system cannot be resized');
}

/** The old vault, on a disk of its own with so much room beside it. */
function place(t: Test, freeKib: number): { sandbox: Sandbox; made: GoVault } {
  const sandbox = createSmallSandbox(t, '16m');
  const secrets = Array.from({ length: 20 }, (_, index) => ({ name: `s${index}`, value: 'v'.repeat(KIB) }));
  const made = writeGoVault(sandbox.home, { secrets });
  const { blocks, bfree, bsize } = statfsSync(sandbox.home);
  resize(sandbox, ((blocks - bfree) * bsize) / KIB + freeKib);
  return { sandbox, made };
}

t.test(
  'import --from-maestrovault > no room for the new vault > nothing is replaced',
  onSmallDisk(),
  async (t) => {
    const outcomes = new Map<string, number>();
    for (const free of FREE_KIB) {
      const { sandbox, made } = place(t, free);
      const before = readFileSync(made.path);
      const { code, stderr } = await mav(sandbox, argsOf(sandbox, made));
      outcomes.set(code === 0 ? 'imported' : 'refused', free);
      if (code !== 0) {
        t.match(stderr, /(disk is full|takes no writes)/, `${free} KiB`);
        t.ok(readFileSync(made.path).equals(before), `${free} KiB: the old vault is as it was`);
        t.same(
          readdirSync(sandbox.home).filter((name) => /import|audit|bak/.test(name)),
          [],
          `${free} KiB: nothing is left`,
        );
        resize(sandbox, 16 * KIB);
        const next = await mav(sandbox, argsOf(sandbox, made));
        t.equal(next.code, 0, `${free} KiB, grown: ${next.stderr}`);
      }
      t.equal(JSON.parse((await mav(sandbox, ['list'])).stdout).length, 20);
      t.ok(existsSync(`${made.path}.go-v3.bak`));
    }
    t.same(
      [...outcomes.keys()].toSorted(),
      ['imported', 'refused'],
      'some disks were too small, and not all',
    );
  },
);

const COUNT = 20_000;

/** Returns seconds of the processor that a command took. */
function measure(sandbox: Sandbox, args: readonly string[]): number {
  const before = childTimes();
  const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    env: sandbox.env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return childTimes() - before;
}

/** Seconds of the processor that this process's ended children took (proc(5): cutime and cstime, in hundredths). */
function childTimes(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

t.test(`import --from-maestrovault > ${COUNT} entries > all of them, in both ways`, async (t) => {
  const secrets = Array.from({ length: COUNT }, (_, index) => ({
    name: `secret-${index}`,
    environment: index % 2 === 0 ? '' : 'prod',
    value: `value ${index}`,
    metadata: JSON.stringify({ index }),
  }));
  const [inPlace, elsewhere] = [createSandbox(t), await createVault(t)];
  const one = writeGoVault(inPlace.home, { secrets });
  const replaced = measure(inPlace, argsOf(inPlace, one));
  const folder = join(elsewhere.folder, 'go');
  const two = writeGoVault(folder, { secrets });
  const imported = measure(elsewhere, ['import', '--from-maestrovault', folder, '--key-file', two.keyFile]);
  for (const sandbox of [inPlace, elsewhere]) {
    t.equal(JSON.parse((await mav(sandbox, ['list'])).stdout).length, COUNT);
    t.equal((await mav(sandbox, ['get', 'secret-19999', '-e', 'prod'])).stdout, 'value 19999');
  }
  t.comment(
    `figure: the Go program's vault of ${COUNT} entries: replaced in ${replaced.toFixed(1)} s of the processor, ` +
      `imported into another in ${imported.toFixed(1)} s`,
  );
});
