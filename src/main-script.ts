/**
 * The build puts this in the place of cli/main.ts: the same functions as one script, beside the code that V8 compiled from it
 * at build time. V8 then compiles nothing. V8 refuses the file of another V8, and compiles the script as before.
 */
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import type * as CommandLine from './cli/main.ts';

type ImportOutside = (specifier: string) => Promise<unknown>;

/** The build declares it in this bundle: what the script, which cannot import, imports from outside. */
declare const importOutside: ImportOutside;

const ownFolder = import.meta.dirname;

function readCompiled(): Buffer | undefined {
  // Of a function that was not compiled here, V8 counts less exactly which lines ran.
  if (process.env.NODE_V8_COVERAGE !== undefined) return undefined;
  try {
    return readFileSync(`${ownFolder}/cli.${process.platform}-${process.arch}.bin`);
  } catch {
    return undefined;
  }
}

const script = new Script(readFileSync(`${ownFolder}/cli.js`, 'latin1'), {
  // As a URL, as Node names a module: so coverage finds it.
  filename: import.meta.url.replace(/[^/]*$/, 'cli.js'),
  cachedData: readCompiled(),
});
const load: (from: ImportOutside, folder: string) => typeof CommandLine = script.runInThisContext();

export const { main } = load(importOutside, ownFolder);
