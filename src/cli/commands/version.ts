/** `mav version`. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';

export const run: Run = async ({ context }) => {
  const path = findPackageJSON(import.meta.url) ?? '';
  context.print(JSON.parse(readFileSync(path, 'utf8')).version);
  return EXIT.done;
};
