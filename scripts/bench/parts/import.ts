/** `mav import` of a JSON file into an empty vault, and of another into the vault that has the first. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../compare.ts';
import type { Bench } from '../context.ts';
import { BIN } from '../daemon.ts';
import { smallSecrets } from '../fillings.ts';
import { timeNode } from '../processes.ts';
import { grouped, milliseconds, type Row } from '../row.ts';
import { sampleSecret } from '../sample-secrets.ts';

/** Number of rounds; each takes seconds. */
const ROUNDS = 3;

export async function measureImport(bench: Bench): Promise<Row[]> {
  const paths = ['first', 'second'].map((name) => join(bench.folder, `import-${name}.json`));
  for (const [half, path] of paths.entries()) writeExport(path, bench.settings.listed, half);
  const [path = ''] = paths;
  const served: number[] = [];
  const alone: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [first = 0, second = 0] = await timeImports(bench, paths, `import-${round}-served`, true);
    served.push(first);
    ratios.push(second / first);
    alone.push(...(await timeImports(bench, [path], `import-${round}-alone`, false)));
  }
  const what = `mav import of ${grouped(bench.settings.listed)}`;
  const ratio = median(ratios);
  return [
    { ...describe(bench, what, served), target: { atLeast: 25_000 } },
    describe(bench, `${what}, no daemon`, alone),
    {
      what: `${what} into as many, of into none`,
      measured: `${ratio.toFixed(2)} times`,
      figure: ratio,
      target: { atMost: 1.5 },
    },
  ];
}

/** `half`: 0 or 1. Two files of one size have no name in common. */
function writeExport(path: string, count: number, half: number): void {
  const { valueSize } = smallSecrets(count);
  const secrets = Array.from({ length: count }, (_, index) =>
    sampleSecret(half * count + index, 2 * count, valueSize),
  );
  writeFileSync(path, JSON.stringify({ format: 'maestrovault-export', version: 1, secrets }));
}

/** Imports the files one after the other into a new vault. */
async function timeImports(
  { vaults }: Bench,
  paths: readonly string[],
  vault: string,
  isServed: boolean,
): Promise<number[]> {
  const daemon = await vaults.makeEmpty(vault);
  if (!isServed) await daemon.stop();
  const durationsMs = paths.map((path) => timeNode([BIN, 'import', path], daemon.env));
  await daemon.stop();
  return durationsMs;
}

function describe({ settings }: Bench, what: string, durationsMs: readonly number[]): Row {
  const durationMs = median(durationsMs);
  const figure = (settings.listed * 1000) / durationMs;
  return { what, measured: milliseconds(durationMs), figure, unit: '/s' };
}
