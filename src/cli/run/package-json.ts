/** What the package says of itself. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

interface Package {
  readonly version: string;
  readonly engines: { readonly node: string };
}

export function readPackage(): Package {
  return JSON.parse(readFileSync(findPackageJSON(import.meta.url) ?? '', 'utf8'));
}
