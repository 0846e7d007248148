/**
 * `npm run bench`: what a request and a command cost, beside public references that it starts itself. The two sides of a
 * comparison run in turn, and the targets are ratios, which hold on a busy machine too. Prints one table, and exits with 1 if
 * a target is missed. Takes about fifteen minutes.
 *
 *     npm run bench -- [--part get-throughput,search] [--json] [--folder /var/tmp] [--rounds 7] [--seconds 1.5]
 *                      [--pairs 41] [--secrets 1000000] [--listed 100000] [--versioned 1000000] [--tokens 10000] [--memory-seconds 60]
 *     npm run bench -- --list
 *
 * `--list` names the parts. The table, or JSON instead, goes to standard output. Progress goes to standard error.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, Settings } from './bench/context.ts';
import { BIN } from './bench/daemon.ts';
import { nameFileSystem } from './bench/file-system.ts';
import { PARTS } from './bench/parts.ts';
import { killProcesses } from './bench/processes.ts';
import { judge, type Row } from './bench/row.ts';
import { formatTable } from './bench/table.ts';
import { Vaults } from './bench/vaults.ts';

const INTERRUPTED = 130;
/** Retries, because a process that was just killed may still write to a file. */
const REMOVALS = 5;

const { values: given } = parseArgs({
  options: {
    part: { type: 'string', default: Object.keys(PARTS).join(',') },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** Folder of the vaults while it runs. Writes wait for the disk of this folder. */
    folder: { type: 'string', default: tmpdir() },
    // Settings says what these are.
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1.5' },
    pairs: { type: 'string', default: '41' },
    secrets: { type: 'string', default: '1000000' },
    listed: { type: 'string', default: '100000' },
    versioned: { type: 'string', default: '10000' },
    tokens: { type: 'string', default: '10000' },
    'memory-seconds': { type: 'string', default: '60' },
  },
});

const settings: Settings = {
  rounds: Number(given.rounds),
  loadMs: Number(given.seconds) * 1000,
  pairs: Number(given.pairs),
  secrets: Number(given.secrets),
  listed: Number(given.listed),
  versioned: Number(given.versioned),
  tokens: Number(given.tokens),
  memoryMs: Number(given['memory-seconds']) * 1000,
};

if (given.list) process.stdout.write(`${Object.keys(PARTS).join('\n')}\n`);
else process.exitCode = await main(given.part.split(','));

async function main(names: readonly string[]): Promise<number> {
  const problem = findProblem(names);
  if (problem !== null) {
    say(problem);
    return 1;
  }
  const folder = mkdtempSync(join(given.folder, 'mav-bench-'));
  cleanUpAtExit(folder);
  const rows = await measureAll(names, { folder, settings, vaults: new Vaults(folder, say), say });
  print(rows, folder);
  // The servers still run, and would keep this process from ending.
  killProcesses();
  return rows.some((row) => judge(row) === 'missed') ? 1 : 0;
}

/** Runs whenever this process ends: when it is done, by a signal, or by an error. */
function cleanUpAtExit(folder: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(INTERRUPTED));
  process.once('exit', () => {
    killProcesses();
    rmSync(folder, { recursive: true, force: true, maxRetries: REMOVALS });
  });
}

function findProblem(names: readonly string[]): string | null {
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) return `there is no part ${unknown}; --list names them`;
  const bad = Object.entries(settings).find(([, value]) => !(value > 0));
  if (bad !== undefined) return `${bad[0]} must be a number above 0`;
  // A multiple of 1,000: then there are equally many sample secrets of each kind.
  for (const name of ['secrets', 'versioned'] as const)
    if (settings[name] % 1_000 !== 0) return `${name} must be a multiple of 1,000`;
  return existsSync(BIN) ? null : 'there is no dist/; make it with: npm run build';
}

async function measureAll(names: readonly string[], bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [index, name] of names.entries()) {
    say(`${index + 1} of ${names.length}: ${name}`);
    rows.push(...(await measure(name, bench)));
    bench.vaults.clearLogs();
  }
  return rows;
}

/** If one part cannot be measured, the others still are. */
async function measure(name: string, bench: Bench): Promise<Row[]> {
  try {
    return (await PARTS[name]?.(bench)) ?? [];
  } catch (error) {
    const measured = `not measured: ${error instanceof Error ? error.message : error}`;
    say(`${name}: ${measured}`);
    return [{ what: name, measured, figure: null, failed: true }];
  }
}

function print(rows: readonly Row[], folder: string): void {
  const machine = {
    node: process.version,
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    fileSystem: nameFileSystem(folder),
  };
  if (given.json) {
    const judged = rows.map((row) => ({ ...row, result: judge(row) }));
    process.stdout.write(`${JSON.stringify({ ...machine, rows: judged })}\n`);
  } else {
    const { node, cores, platform, fileSystem } = machine;
    process.stdout.write(`${formatTable(rows)}\nNode ${node}, ${platform}, ${cores} cores, ${fileSystem}\n`);
  }
}

function say(progress: string): void {
  process.stderr.write(`${progress}\n`);
}
