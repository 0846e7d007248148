/** What the package says of itself. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Package {
  readonly version: string;
  readonly engines: { readonly node: string };
}

/** Looks in the folders above: the bundle lies elsewhere than this file. node:module could say it, but loads streams. */
export function readPackage(): Package {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
