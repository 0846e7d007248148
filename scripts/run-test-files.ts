/**
 * Runs test files, each in a process of its own: `node scripts/run-test-files.ts JOBS FILE…`. test.ts starts it. It is
 * tap's own runner without the loaders that tap's command gives to every process: they mock modules and map generated
 * code. No test needs that, and loading them takes a test file longer than what it tests.
 *
 * Where COVERAGE_DATA names a folder, the coverage is measured into it. A file that is not measured shares its compiled
 * code in COMPILE_CACHE, so that not every file strips the types of the same fixtures. Where TEST_TIMES names a folder, what each
 * file costs is left there (test-times.ts).
 */
import t from 'tap';
import TestSummary from './test-summary.ts';
import { withTimes } from './test-times.ts';
import { UNMEASURED_TESTS } from './unmeasured-tests.ts';

const FILE_TIMEOUT_MS = 600_000;
/** Those that take longest, as `npm test -- --times` says. They start first, so that none runs alone at the end. */
const LONG = `
  service-manager readme silent-daemon ending passphrases keys editor unaccepted terminal-escapes clipboard progress
  keychain known-vaults tables tampered-versions isolation whole-lists kept-versions destroy import outputs erased-log
  session-token properties history-commands front lost-output exec names inject terminal http-clients process-memory
  odd-places due-dates handed-sockets foreign-vaults deleted-secrets interruption cli commands completion export daemon
`
  .trim()
  .split(/\s+/)
  .map((name) => `test/${name}.ts`);

const BUNDLED_TAP = new URL('bundled-tap.ts', import.meta.url).pathname;

const { COVERAGE_DATA, MEASURE_ALL, COMPILE_CACHE, TEST_TIMES } = process.env;

function coverageEnv(file: string): NodeJS.ProcessEnv {
  if (COVERAGE_DATA === undefined) return { NODE_COMPILE_CACHE: COMPILE_CACHE };
  const isMeasured = MEASURE_ALL !== undefined || !UNMEASURED_TESTS.has(file);
  // Code from the compile cache is covered less exactly.
  if (isMeasured) return { NODE_V8_COVERAGE: COVERAGE_DATA, NODE_DISABLE_COMPILE_CACHE: '1' };
  // Empty: Node measures nothing, and the daemon is still started as in the files that are measured.
  return { NODE_V8_COVERAGE: '', NODE_COMPILE_CACHE: COMPILE_CACHE };
}

function runFile(file: string): void {
  // tap puts a loader into NODE_OPTIONS, which would reach each thread and each program that the test starts.
  const run = ['/usr/bin/env', '-u', 'NODE_OPTIONS', process.execPath, '--import', BUNDLED_TAP, file];
  const [program = '', ...args] = TEST_TIMES === undefined ? run : withTimes(TEST_TIMES, file, run);
  t.spawn(program, args, {
    name: file,
    at: null,
    stack: '',
    buffered: t.jobs > 1,
    timeout: FILE_TIMEOUT_MS,
    env: { ...process.env, ...coverageEnv(file), TAP_TIMEOUT: String(FILE_TIMEOUT_MS / 1_000) },
  });
}

const [jobs, ...files] = process.argv.slice(2);
// Before all else, or tap writes to standard output itself.
t.register();
t.pipe(new TestSummary()).pipe(process.stdout);
t.setTimeout(0);
t.jobs = Number(jobs);
t.plan(files.length);
for (const file of LONG) if (files.includes(file)) runFile(file);
for (const file of files) if (!LONG.includes(file)) runFile(file);
