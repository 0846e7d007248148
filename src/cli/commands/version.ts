/** `mav version`. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { EXIT } from '../failure.ts';
import type { Run } from '../options.ts';

export const run: Run = async ({ context }) => {
  const path = findPackageJSON(import.meta.url) ?? '';
  context.print(JSON.parse(readFileSync(path, 'utf8')).version);
  return EXIT.done;
};
