/**
 * Turns the command line's bundle into a script that src/main-script.ts runs, and compiles it. All functions are compiled, also
 * those that few commands call: to read them takes less time than to compile those that are called.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import type { BuildOptions } from 'esbuild';

/** As long as `import`, so that columns in the source map stay as they are. */
const IMPORT_OUTSIDE = 'obtain';

/** What makes a bundle a function that src/main-script.ts calls: a script has no `import.meta`, and no `import()` without flags. */
export const SCRIPT_OPTIONS = {
  format: 'iife',
  globalName: 'commandLine',
  define: { 'import.meta.dirname': 'ownFolder' },
  banner: {
    js: `((${IMPORT_OUTSIDE}, ownFolder) => { const requireLater = (name) => process.getBuiltinModule("node:module").createRequire(ownFolder + "/")(name);`,
  },
  footer: { js: 'return commandLine; })' },
} as const satisfies BuildOptions;

/** Of the bundle with src/main-script.ts. */
export const LOADER_BANNER = 'const importOutside = (specifier) => import(specifier);';

/** Completes the bundle at `path`, and writes what V8 makes of it beside it. */
export function compileScript(path: string): void {
  const bundle = readFileSync(path, 'utf8');
  const source = bundle
    .replaceAll(/\bimport(?=\(")/g, IMPORT_OUTSIDE)
    // The script is read as latin1, which is fastest. esbuild escapes all but comments.
    .replaceAll(/[^\0-\x7f]/g, '?');
  writeFileSync(path, source);
  // Not in force any longer when the data is made, because V8 refuses data that was made with other flags.
  setFlagsFromString('--no-lazy');
  const script = new Script(source, { filename: path });
  setFlagsFromString('--lazy');
  writeFileSync(path.replace(/js$/, `${process.platform}-${process.arch}.bin`), script.createCachedData());
}
