/** `mav version`: the version alone, or with -o json what it runs on too. */
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { readPackage } from '../run/package-json.ts';

export const run: Run = async ({ context, output }) => {
  const { version } = readPackage();
  const { platform: os, arch, versions } = process;
  context.print(output === 'json' ? JSON.stringify({ version, node: versions.node, os, arch }) : version);
  return EXIT.done;
};
