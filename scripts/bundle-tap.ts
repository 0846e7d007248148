/**
 * tap in one file. It has 200, which are half of the work of starting a test file. bundled-tap.ts has a process load the
 * bundle instead; tests import tap as always, and do so without a bundle, too.
 */
import { join } from 'node:path';
import { build } from 'esbuild';

const MODULES = join(import.meta.dirname, '../node_modules');
/** tap leaves what lies in this folder out of the stack of a failure. */
export const TAP_BUNDLE = join(MODULES, '@tapjs/test/test-built/bundle.js');

export async function bundleTap(): Promise<void> {
  await build({
    entryPoints: [join(MODULES, 'tap/dist/esm/index.js')],
    outfile: TAP_BUNDLE,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'error',
    // For the packages among tap's that are CommonJS.
    banner: { js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);' },
  });
}
