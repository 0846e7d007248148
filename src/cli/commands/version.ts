/** `mav version`: the version alone, or with -o json what it runs on too. */
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';
import { readPackage } from '../package-json.ts';

export const run: Run = async ({ context, output }) => {
  const { version } = readPackage();
  const { platform: os, arch, versions } = process;
  context.print(output === 'json' ? JSON.stringify({ version, node: versions.node, os, arch }) : version);
  return EXIT.done;
};
