/**
 * A copy of the built program whose daemon writes no audit log. No setting of the program does that, so the copy's code is
 * changed: no operation counts as one that stands in the log. A call still notes what it reads, which costs next to nothing.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
/** Among the packages, because the daemon may read its code and its packages in one folder only. */
const CACHE = join(ROOT, 'node_modules/.cache');
const THREADS = ['workers/reader.js', 'workers/writer.js'];
/** The beginning of the one function that says what stands in the log (workers/audit/writing/audit-entry.ts). */
const IS_AUDITED = /^function isAudited\(.*\) \{$/gm;

/** Returns the file with which the copy starts. The copy is removed when this process ends. */
export function makeUnrecordedProgram(): string {
  mkdirSync(CACHE, { recursive: true });
  const copy = mkdtempSync(join(CACHE, 'mav-bench-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  cpSync(join(ROOT, 'dist'), join(copy, 'dist'), { recursive: true });
  for (const thread of THREADS) stopRecording(join(copy, 'dist', thread));
  return join(copy, 'dist/src/bin.js');
}

/** Throws Error if the function is not there, or not once. */
function stopRecording(path: string): void {
  const code = readFileSync(path, 'utf8');
  if (code.match(IS_AUDITED)?.length !== 1) throw new Error(`${path} does not say once what is audited`);
  writeFileSync(path, code.replace(IS_AUDITED, '$&\n  return false;'));
}
