/**
 * The build puts this in the place of cli/main.ts: the same functions as a script, beside the code that V8 compiled from it
 * at build time. V8 then compiles nothing. V8 refuses the file of another V8, and compiles the script as before. There are two
 * scripts, each of which can run every command: a small one for the everyday commands, and one with all short commands.
 */
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import type * as CommandLine from './cli/main.ts';

type ImportOutside = (specifier: string) => Promise<unknown>;

/** The build declares it in this bundle: what the script, which cannot import, imports from outside. */
declare const importOutside: ImportOutside;
/** The build puts their names here. */
declare const EVERYDAY_COMMANDS: readonly string[];

const ownFolder = import.meta.dirname;
const name = EVERYDAY_COMMANDS.includes(process.argv[2] ?? '') ? 'everyday-cli' : 'cli';

function readCompiled(): Buffer | undefined {
  // Of a function that was not compiled here, V8 counts less exactly which lines ran.
  if (process.env.NODE_V8_COVERAGE !== undefined) return undefined;
  try {
    return readFileSync(`${ownFolder}/${name}.${process.platform}-${process.arch}.bin`);
  } catch {
    return undefined;
  }
}

const script = new Script(readFileSync(`${ownFolder}/${name}.js`, 'latin1'), {
  // As a URL, as Node names a module: so coverage finds it.
  filename: import.meta.url.replace(/[^/]*$/, `${name}.js`),
  cachedData: readCompiled(),
});
const load: (from: ImportOutside, folder: string) => typeof CommandLine = script.runInThisContext();

export const { main } = load(importOutside, ownFolder);
