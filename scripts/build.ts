/**
 * Builds dist/ from src/ and workers/. npm runs it after an install, so `npm ci` leaves a checkout that works, and
 * before it packs: then with `--no-maps`, as source maps lead to sources that are not in the package. The compiler makes
 * a file of each file; what a process or a thread starts with is then bundled into one file each, because loading many
 * small modules takes longer than what they do. The command line loads the daemon's parts, which stay outside of its
 * bundle, only when it needs them.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const root = dirname(import.meta.dirname);
const src = join(root, 'src');
const dist = join(root, 'dist');
const BIN = join(dist, 'src/bin.js');
const hasMaps = !process.argv.includes('--no-maps');
const START = 'src/bin.ts';
/** A shell takes this for commands and never comes to the end of it, Node takes it for a string and a comment. */
const FRONT = `':' /*\n${readFileSync(join(src, 'front.sh'), 'utf8')}*/;\n`;
const REQUIRE_LATER =
  'const requireLater = (name) => process.getBuiltinModule("node:module").createRequire(import.meta.url)(name);';
/** Where processes and threads start, and where the bundle of each goes. What finds files beside itself stays there. */
const ENTRIES: readonly (readonly [source: string, target: string])[] = [
  [START, 'src/bin.js'],
  ['src/daemon/serve.ts', 'src/daemon/serve.js'],
  ['src/daemon/in-process.ts', 'src/daemon/in-process.js'],
  ['src/pool/keeper-thread.ts', 'src/pool/keeper-thread.js'],
  ['workers/reader.ts', 'workers/reader.js'],
  ['workers/writer.ts', 'workers/writer.js'],
  ['workers/keys/slots/keychain-process.ts', 'workers/keychain-process.js'],
];
/**
 * What of the command line is loaded later and still lies in its bundle: the commands of every day. The others stay files
 * of their own, because every command has to be read past them.
 */
const EVERYDAY: ReadonlySet<string> = new Set([
  'src/text/format-time.ts',
  'src/cli/main.ts',
  'src/cli/vault/own-vault.ts',
  'src/cli/input/name-reference.ts',
  'src/cli/formats/table.ts',
  'src/cli/formats/exact-json.ts',
  'src/cli/formats/plain-lines.ts',
  'src/cli/terminal/terminal-value.ts',
  'src/cli/commands/delete.ts',
  'src/cli/commands/env.ts',
  'src/cli/commands/exec.ts',
  'src/cli/commands/get.ts',
  'src/cli/commands/list.ts',
  'src/cli/commands/rename.ts',
  'src/cli/commands/search.ts',
  'src/cli/commands/set.ts',
]);

/** A file that was moved would silently fall out of its bundle, or never get one. Throws if one is not there. */
function checkLists(): void {
  const gone = [...ENTRIES.map(([source]) => source), ...EVERYDAY].filter(
    (path) => !existsSync(join(root, path)),
  );
  if (gone.length > 0) throw new Error(`build: not there any more: ${gone.join(', ')}`);
}

/** Whether a devDependency is there; null where the devDependencies were left out. */
function findPackage(name: string): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}

async function build(): Promise<number> {
  const [typescript, esbuild] = [findPackage('typescript'), findPackage('esbuild')];
  if (typescript === null || esbuild === null) {
    console.error('build: no compiler here; install with the devDependencies (no --omit=dev).');
    return 1;
  }
  checkLists();
  rmSync(dist, { recursive: true, force: true });
  if (!compile(join(typescript, 'bin/tsc'))) return 1;
  for (const [source, target] of ENTRIES) await bundle(source, target);
  cpSync(join(root, 'src/http/openapi.json'), join(dist, 'src/http/openapi.json'));
  chmodSync(BIN, 0o755);
  return 0;
}

function compile(compiler: string): boolean {
  const args = ['-p', join(root, 'tsconfig.json'), '--sourceMap', String(hasMaps)];
  const tsc = spawnSync(process.execPath, [compiler, ...args], { stdio: 'inherit' });
  if (tsc.error) console.error(`build: cannot run the TypeScript compiler: ${tsc.error.message}`);
  return tsc.status === 0;
}

async function bundle(source: string, target: string): Promise<void> {
  const { build: runEsbuild } = await import('esbuild');
  await runEsbuild({
    entryPoints: [join(root, source)],
    outfile: join(dist, target),
    allowOverwrite: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    sourcemap: hasMaps,
    // The sources lie beside it in the checkout; with them inside, coverage takes gigabytes.
    sourcesContent: false,
    logLevel: 'warning',
    banner: { js: `${source === START ? FRONT : ''}${REQUIRE_LATER}` },
    plugins: [...(source === START ? [leaveRestOutside] : []), loadOthersLater],
  });
}

const leaveRestOutside: Plugin = {
  name: 'leave the rest outside',
  setup(steps) {
    steps.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const target = relative(src, resolve(resolveDir, path));
      if (kind !== 'dynamic-import' || EVERYDAY.has(`src/${target}`)) return undefined;
      return { path: `./${target.replace(/\.ts$/, '.js')}`, external: true };
    });
  },
};

/**
 * Static imports of what is not ours would all be hoisted to the top of the bundle and loaded by every command. They are
 * loaded when the file that has them is. Built-in modules not by import even then: that asks a module for every name it
 * exports, and some of node:fs and node:util load what takes longer than all else that a short command does.
 */
const loadOthersLater: Plugin = {
  name: 'load others later',
  setup(steps) {
    steps.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      return kind === 'import-statement' ? { path, namespace: 'later' } : { path, external: true };
    });
    steps.onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => {
      const name = JSON.stringify(path);
      // An object with no names of its own: esbuild goes through all of them too, and finds those of a prototype as well.
      const call = isBuiltin(path)
        ? `Object.create(process.getBuiltinModule(${name}))`
        : `requireLater(${name})`;
      return { contents: `module.exports = ${call};`, loader: 'js' };
    });
  },
};

process.exitCode = await build();
