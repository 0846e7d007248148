/**
 * What `mav get` prints and says is the same by the shell script that is installed and by the program: the tests that use the
 * command pass by the script too, in each of the shells that may be a machine's `sh`.
 */
import { join } from 'node:path';
import t from 'tap';
import { SHELLS } from '../fixtures/fronts.ts';

t.setTimeout(1_200_000);

const FILES = [
  ...[
    'commands',
    'command-settings',
    'several',
    'missing',
    'forms',
    'names',
    'words',
    'generate',
    'export',
    'import',
  ],
  ...[
    'foreign-vaults',
    'known-vaults',
    'odd-places',
    'silent-daemon',
    'trusted-places',
    'passphrases',
    'outputs',
  ],
];

for (const shell of SHELLS)
  for (const file of FILES) {
    const env = { ...process.env, MAV_TEST_SHELL: shell.join(' ') };
    const path = join(import.meta.dirname, '..', `${file}.ts`);
    t.spawn(process.execPath, [path], { env, timeout: 600_000 }, `${file} > mav get by ${shell.join(' ')}`);
  }
