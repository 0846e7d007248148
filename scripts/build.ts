/**
 * Builds dist/ from src/ and workers/. npm runs it after an install, so that `npm ci` leaves a checkout that works. npm also runs
 * it before it packs, with `--no-maps`, because source maps would lead to sources that are not in the package.
 *
 * The compiler makes one JavaScript file of each source file. Then the files that a process or a thread starts with are each
 * bundled into one file, because loading many small modules takes longer than running them. The command line's bundle leaves
 * out the daemon's parts, and loads them only when it needs them. It is compiled too (command-line-script.ts).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { compileScript, LOADER_BANNER, SCRIPT_OPTIONS } from './command-line-script.ts';

const root = dirname(import.meta.dirname);
const src = join(root, 'src');
const dist = join(root, 'dist');
/** The file that is installed as `mav`. */
const MAV = join(dist, 'mav');
const hasMaps = !process.argv.includes('--no-maps');
const START = 'src/bin.ts';
const WRITER = 'workers/writer.ts';
/** The command line, which becomes two scripts. */
const COMMAND_LINE = 'src/cli/main.ts';
/** With all short commands. */
const SCRIPT = 'src/cli.js';
/** With the everyday commands only, because reading what V8 compiled takes longer the more there is of it. */
const EVERYDAY_SCRIPT = 'src/everyday-cli.js';
/** Stands for it in the file that the program starts with. */
const ITS_LOADER = 'src/main-script.ts';
const REQUIRE_LATER =
  'const requireLater = (name) => process.getBuiltinModule("node:module").createRequire(import.meta.url)(name);';
/** Files with which processes and threads start, and the bundle of each. One that finds files beside itself stays in place. */
const ENTRIES: readonly (readonly [source: string, target: string])[] = [
  [START, 'src/bin.js'],
  [COMMAND_LINE, SCRIPT],
  [COMMAND_LINE, EVERYDAY_SCRIPT],
  ['src/daemon/serve.ts', 'src/daemon/serve.js'],
  ['src/daemon/in-process.ts', 'src/daemon/in-process.js'],
  ['src/daemon/session/session-process.ts', 'src/daemon/session-process.js'],
  ['src/pool/keeper-thread.ts', 'src/pool/keeper-thread.js'],
  ['workers/reader.ts', 'workers/reader.js'],
  [WRITER, 'workers/writer.js'],
  ['workers/keys/slots/keychain-process.ts', 'workers/keychain-process.js'],
];
/**
 * Modules that the command line imports later and that are still in its bundles: first the everyday commands and what they need,
 * then the other commands that are done in a moment. The rest stays in files of its own, which takes 0.8 of `node -e 0` longer.
 */
const EVERYDAY_COMMANDS = ['delete', 'get', 'list', 'rename', 'search', 'set', 'version'] as const;
const EVERYDAY: ReadonlySet<string> = new Set([
  ...EVERYDAY_COMMANDS.map((name) => `src/cli/commands/${name}.ts`),
  'src/cli/formats/exact-json.ts',
  'src/cli/formats/plain-lines.ts',
  'src/cli/formats/table.ts',
  'src/cli/input/name-reference.ts',
  'src/cli/terminal/terminal-value.ts',
  'src/cli/vault/own-vault.ts',
  'src/text/format-time.ts',
]);
const SHORT: ReadonlySet<string> = new Set([
  ...EVERYDAY,
  'src/cli/commands/accept.ts',
  'src/cli/commands/approve.ts',
  'src/cli/commands/audit.ts',
  'src/cli/commands/audit-verify.ts',
  'src/cli/commands/deny.ts',
  'src/cli/commands/diff.ts',
  'src/cli/commands/env.ts',
  'src/cli/commands/envs.ts',
  'src/cli/commands/exec.ts',
  'src/cli/commands/generate.ts',
  'src/cli/commands/history.ts',
  'src/cli/commands/inject.ts',
  'src/cli/commands/purge.ts',
  'src/cli/commands/rollback.ts',
  'src/cli/commands/seal.ts',
  'src/cli/commands/status.ts',
  'src/cli/commands/token-create.ts',
  'src/cli/commands/token-list.ts',
  'src/cli/commands/token-revoke.ts',
  'src/cli/commands/token-rotate.ts',
  'src/cli/commands/token-show.ts',
  'src/cli/commands/trash.ts',
  'src/cli/commands/undelete.ts',
  'src/cli/commands/unseal.ts',
  'src/cli/tokens/describe-grant.ts',
]);

/**
 * A package that is part of the writer's bundle, without what is not used of it. As it is installed it is a hundred files, of which
 * half are translations. Loading these is a seventh of the processor's time in the start of a daemon.
 */
const BUNDLED = 'zod';

/** Throws if a file of the lists does not exist. Otherwise a file that was moved would silently fall out of its bundle. */
function checkLists(): void {
  const gone = [...ENTRIES.map(([source]) => source), ...SHORT].filter(
    (path) => !existsSync(join(root, path)),
  );
  if (gone.length > 0) throw new Error(`build: not there any more: ${gone.join(', ')}`);
}

/** Returns the folder of a devDependency, or null if the devDependencies were not installed. */
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
  for (const script of [SCRIPT, EVERYDAY_SCRIPT]) compileScript(join(dist, script));
  cpSync(join(root, 'src/http/openapi.json'), join(dist, 'src/http/openapi.json'));
  cpSync(join(root, 'src/mav.sh'), MAV);
  chmodSync(MAV, 0o755);
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
    // The checkout has the sources anyway. With the sources inside the maps, coverage takes gigabytes.
    sourcesContent: false,
    logLevel: 'warning',
    banner: { js: source === START ? LOADER_BANNER : REQUIRE_LATER },
    footer: source === WRITER ? { js: readLicense(BUNDLED) } : {},
    ...(source === START ? { define: { EVERYDAY_COMMANDS: JSON.stringify(EVERYDAY_COMMANDS) } } : {}),
    ...(source === COMMAND_LINE ? SCRIPT_OPTIONS : {}),
    plugins: [
      source === COMMAND_LINE ? leaveRestOutside(target === SCRIPT ? SHORT : EVERYDAY) : takeScript,
      leaveOutOfMap,
      loadOthersLater,
    ],
  });
}

/** Returns the licence of a package as a comment. It must stay with every copy of the package's code. */
function readLicense(name: string): string {
  return `/* Contains ${name}.\n\n${readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8')}*/`;
}

const takeScript: Plugin = {
  name: 'take the command line as a script',
  setup(steps) {
    steps.onResolve({ filter: /^\.\/cli\/main\.ts$/ }, () => ({ path: join(root, ITS_LOADER) }));
  },
};

/** `inside`: the modules that are imported later and belong into the bundle all the same. */
const leaveRestOutside = (inside: ReadonlySet<string>): Plugin => ({
  name: 'leave the rest outside',
  setup(steps) {
    steps.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const target = relative(src, resolve(resolveDir, path));
      if (kind !== 'dynamic-import' || inside.has(`src/${target}`)) return undefined;
      return { path: `./${target.replace(/\.ts$/, '.js')}`, external: true };
    });
  },
});

/** A source map that has one character only, of a file that is not there. Coverage counts what the maps lead to, and the package's code is not ours to cover. */
const ALMOST_EMPTY_MAP = Buffer.from('{"version":3,"sources":["later:zod"],"mappings":"AAAA"}').toString(
  'base64',
);

const leaveOutOfMap: Plugin = {
  name: 'leave the bundled package out of the source map',
  setup(steps) {
    steps.onLoad({ filter: new RegExp(`/node_modules/${BUNDLED}/.*\\.js$`) }, ({ path }) => ({
      contents: `${readFileSync(path, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${ALMOST_EMPTY_MAP}`,
      loader: 'js',
    }));
  },
};

/**
 * esbuild would hoist all static imports of packages and built-in modules to the top of the bundle, so every command would load
 * them. This plugin loads them when the file that imports them is loaded. Built-in modules are not loaded by `import` even then:
 * that reads every name that the module exports, and some of node:fs and node:util load parts that take longer than everything
 * else in a short command.
 */
const loadOthersLater: Plugin = {
  name: 'load others later',
  setup(steps) {
    steps.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (path === BUNDLED) return undefined;
      return kind === 'import-statement' ? { path, namespace: 'later' } : { path, external: true };
    });
    steps.onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => {
      const name = JSON.stringify(path);
      // An object without names of its own, because esbuild would read all of them too. It also finds those of a prototype.
      const call = isBuiltin(path)
        ? `Object.create(process.getBuiltinModule(${name}))`
        : `requireLater(${name})`;
      return { contents: `module.exports = ${call};`, loader: 'js' };
    });
  },
};

process.exitCode = await build();
