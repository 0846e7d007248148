/** `mav import` of a JSON file into an empty vault. */
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
  const path = join(bench.folder, 'import.json');
  writeExport(path, bench.settings.listed);
  const served: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    served.push(await timeImport(bench, path, `import-${round}-served`, true));
    alone.push(await timeImport(bench, path, `import-${round}-alone`, false));
  }
  const what = `mav import of ${grouped(bench.settings.listed)}`;
  return [
    { ...describe(bench, what, served), target: { atLeast: 25_000 } },
    describe(bench, `${what}, no daemon`, alone),
  ];
}

function writeExport(path: string, count: number): void {
  const { valueSize } = smallSecrets(count);
  const secrets = Array.from({ length: count }, (_, index) => sampleSecret(index, count, valueSize));
  writeFileSync(path, JSON.stringify({ format: 'maestrovault-export', version: 1, secrets }));
}

async function timeImport(
  { vaults }: Bench,
  path: string,
  vault: string,
  isServed: boolean,
): Promise<number> {
  const daemon = await vaults.makeEmpty(vault);
  if (!isServed) await daemon.stop();
  const durationMs = timeNode([BIN, 'import', path], daemon.env);
  await daemon.stop();
  return durationMs;
}

function describe({ settings }: Bench, what: string, durationsMs: readonly number[]): Row {
  const durationMs = median(durationsMs);
  const figure = (settings.listed * 1000) / durationMs;
  return { what, measured: milliseconds(durationMs), figure, unit: '/s' };
}
