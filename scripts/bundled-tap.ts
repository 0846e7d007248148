/** Preloaded (`node --import`) into a test file: whoever imports tap gets its bundle, which bundle-tap.ts made. */
import { registerHooks } from 'node:module';

const BUNDLE = new URL('../node_modules/@tapjs/test/test-built/bundle.js', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'tap' ? { url: BUNDLE, format: 'module', shortCircuit: true } : next(specifier, context),
});
