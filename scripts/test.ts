/**
 * `npm test`: builds, and runs the test files. It fails if a test failed, if a file asserted nothing or did not run, or
 * if too few lines of src/ and workers/ were covered. The last line is `N passed, N failed`.
 *
 * - `npm test -- test/wall.ts` runs single files, without the coverage.
 * - `--snapshot` rewrites the snapshots.
 * - `--measure-all` measures the coverage of every file, also of those that are left out to save time.
 * - `--times` lists what each file cost.
 * - `--hard` runs the tests in test/hard, which take minutes, and the fast ones on the same subjects, one after the other.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { makeVaults } from '../test/fixtures/made-vaults.ts';
import { findMissing, SECRET_SERVICE_PROGRAMS } from '../test/fixtures/programs.ts';
import { bundleTap } from './bundle-tap.ts';
import { closingLine, type Summary } from './test-summary.ts';
import { describeTimes } from './test-times.ts';
import { UNMEASURED_TESTS } from './unmeasured-tests.ts';

const root = dirname(import.meta.dirname);
const TAP = join(root, 'node_modules/tap/dist/esm/run.mjs');
const RUN_TEST_FILES = join(root, 'scripts/run-test-files.ts');
const C8 = join(root, 'node_modules/c8/bin/c8.js');
/** The Test class that tap assembled from its plugins, and the links through which it is loaded. */
const TAP_BUILT = join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js');
const TAP_LINKS = join(root, '.tap/plugins/node_modules');
const COVERAGE_DATA = join(root, 'coverage/tmp');
/** Tests of `npm test` that also run here, with whole sweeps where `npm test` takes a sample. */
const ALSO_HARD = [
  'audit-verify',
  'closed-process',
  'commands',
  'daemon-crash',
  'envelope',
  'fence',
  'foreign-schema',
  'forgery',
  'granted-places',
  'interruption',
  'isolation',
  'keychain',
  'names',
  'progress',
  'tampered-versions',
  'tampering',
];
/** One more than the cores of a small machine: many files wait for a time limit or for a process. */
const JOBS = 3;
/** In the run's folder. */
const SUMMARY_FILE = 'summary.json';
const TIMES_FOLDER = 'times';
const FLAGS = ['--snapshot', '--measure-all', '--hard', '--times'];

interface Selection {
  files: string[];
  jobs: number;
  /** Whether every test file runs, and nothing else. Only then is the coverage complete. */
  isWhole: boolean;
  measuresAll: boolean;
  snapshot: boolean;
  isHard: boolean;
  showsTimes: boolean;
}

function parseSelection(argv: string[]): Selection {
  const isHard = argv.includes('--hard');
  const unknown = argv.find((arg) => arg.startsWith('-') && !FLAGS.includes(arg));
  if (unknown !== undefined) throw new Error(`test: unknown flag ${unknown}; there are ${FLAGS.join(', ')}`);
  const named = argv.filter((arg) => !arg.startsWith('-'));
  const all = isHard
    ? [...listTests('test/hard'), ...ALSO_HARD.map((name) => `test/${name}.ts`)]
    : listTests('test');
  const files = named.length > 0 ? named.map((file) => relative(root, resolve(file))) : all;
  return {
    files,
    // The hard tests load the machine so much that they would disturb each other.
    jobs: isHard ? 1 : JOBS,
    isWhole: named.length === 0 && !isHard && !argv.includes('--snapshot'),
    measuresAll: argv.includes('--measure-all'),
    snapshot: argv.includes('--snapshot'),
    isHard,
    showsTimes: argv.includes('--times'),
  };
}

/** Returns the test files of a folder, without its subfolders. */
function listTests(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => `${folder}/${entry.name}`)
    .sort();
}

function runNode(args: string[], env: NodeJS.ProcessEnv = process.env): boolean {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) console.error(`test: cannot start node: ${error.message}`);
  return status === 0;
}

/**
 * Rebuilds tap's Test class. A fresh node_modules has it with tap's TypeScript plugin, which does not work beside TypeScript 7.
 * `tap build` assembles it as package.json says, without a network. This takes some seconds, once per install. Then bundles tap.
 */
async function prepareTap(): Promise<boolean> {
  const isBuilt = existsSync(TAP_LINKS) && !readFileSync(TAP_BUILT, 'utf8').includes('@tapjs/typescript');
  if (!isBuilt && !runNode([TAP, 'build'])) return false;
  await bundleTap();
  return true;
}

/** An environment in which tests do not see your vault, your keychain or your settings. */
function hermeticEnv(home: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_RUNTIME_DIR: home };
  const foreign = ['NODE_OPTIONS', 'NODE_COMPILE_CACHE', 'CREDENTIALS_DIRECTORY', 'DBUS_SESSION_BUS_ADDRESS'];
  for (const name of Object.keys(env)) {
    if (name.startsWith('MAV_') || foreign.includes(name)) delete env[name];
  }
  return env;
}

/** What scripts/run-test-files.ts is told. */
function runnerEnv(selection: Selection, home: string): NodeJS.ProcessEnv {
  const env = hermeticEnv(home);
  env.TEST_SUMMARY_FILE = join(home, SUMMARY_FILE);
  env.COMPILE_CACHE = join(home, 'compile-cache');
  if (selection.showsTimes) env.TEST_TIMES = join(home, TIMES_FOLDER);
  if (selection.snapshot) env.TAP_SNAPSHOT = '1';
  if (selection.isHard) env.WHOLE_SWEEPS = '1';
  if (selection.isWhole) env.COVERAGE_DATA = COVERAGE_DATA;
  if (selection.isWhole && selection.measuresAll) env.MEASURE_ALL = '1';
  return env;
}

async function runTestFiles(
  selection: Selection,
  home: string,
): Promise<{ isOk: boolean; summary: Summary }> {
  const [summaryFile, times] = [join(home, SUMMARY_FILE), join(home, TIMES_FOLDER)];
  mkdirSync(times);
  if (selection.isWhole) rmSync(COVERAGE_DATA, { recursive: true, force: true });
  const vaults = await makeVaults();
  const env = { ...runnerEnv(selection, home), ...vaults.env };
  const isOk = runNode([RUN_TEST_FILES, String(selection.jobs), ...selection.files], env);
  vaults.remove();
  if (selection.showsTimes) console.log(describeTimes(times).join('\n'));
  const nothing: Summary = { passed: 0, failed: 0, skipped: 0, files: [] };
  return { isOk, summary: existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : nothing };
}

/** Returns what is wrong with a run besides failed assertions. */
function findShortfalls(selection: Selection, isOk: boolean, summary: Summary): string[] {
  const ran = new Set(summary.files.map(({ name }) => name));
  const expected = selection.isWhole ? [...selection.files, ...UNMEASURED_TESTS] : selection.files;
  const shortfalls = expected.filter((file) => !ran.has(file)).map((file) => `${file} did not run`);
  if (!isOk && summary.failed === 0 && shortfalls.length === 0) shortfalls.push('the run failed');
  if (selection.isWhole && !runNode([C8, 'report'])) shortfalls.push('coverage is below its threshold');
  return shortfalls;
}

function announceSecretService(): void {
  const missing = findMissing(...SECRET_SERVICE_PROGRAMS);
  if (missing.length === 0) console.log('Secret Service: the tests with a real keychain run.');
  else
    console.log(
      `Secret Service: the tests with a real keychain are skipped, no ${missing.join(' and ')} here.`,
    );
}

async function main(argv: string[]): Promise<void> {
  const selection = parseSelection(argv);
  const home = mkdtempSync(join(tmpdir(), 'mav-test-'));
  let summary: Summary = { passed: 0, failed: 0, skipped: 0, files: [] };
  let shortfalls = ['the build failed'];
  try {
    if (runNode([join(root, 'scripts/build.ts')]) && (await prepareTap())) {
      announceSecretService();
      const run = await runTestFiles(selection, home);
      summary = run.summary;
      shortfalls = findShortfalls(selection, run.isOk, summary);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  for (const shortfall of shortfalls) console.log(`FAILED ${shortfall}`);
  const failed = summary.failed + shortfalls.length;
  process.exitCode = failed === 0 && summary.passed + summary.skipped > 0 ? 0 : 1;
  console.log(closingLine({ ...summary, failed }));
}

await main(process.argv.slice(2));
