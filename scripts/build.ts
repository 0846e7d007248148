/** Builds dist/ from src/ and workers/. npm runs it as `prepare`, so `npm ci` leaves a checkout that works. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

/** The compiler's path, whatever PATH says; null where the devDependencies were left out. */
function findCompiler(): string | null {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  } catch {
    return null;
  }
}

function build(): number {
  const compiler = findCompiler();
  if (compiler === null) {
    console.error('build: no TypeScript compiler here; install with the devDependencies (no --omit=dev).');
    return 1;
  }
  rmSync(dist, { recursive: true, force: true });
  const tsc = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.json')], {
    stdio: 'inherit',
  });
  if (tsc.error) console.error(`build: cannot run the TypeScript compiler: ${tsc.error.message}`);
  if (tsc.status !== 0) return 1;

  const openapi = join(root, 'src/http/openapi.json');
  if (existsSync(openapi)) cpSync(openapi, join(dist, 'src/http/openapi.json'));
  const bin = join(dist, 'src/bin.js');
  if (existsSync(bin)) chmodSync(bin, 0o755);
  return 0;
}

process.exitCode = build();
