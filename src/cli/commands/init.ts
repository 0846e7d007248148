/** `mav init`: makes a vault. */
import { secureHome } from '../../places/home.ts';
import { checkPassphraseFile } from '../input/passphrase-file.ts';
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { makeVault, planVault } from '../vault/create-vault.ts';

export const run: Run = async (input) => {
  const { home } = input;
  // It will have the passphrase and keys, as the daemon has.
  (await import('../../daemon/libc.ts')).Libc.open()?.forbidDumping();
  const plan = await planVault(input, home);
  checkPassphraseFile(input);
  secureHome(home);
  const { releaseOwnership, takeOwnership } = await import('../../daemon/ownership.ts');
  takeOwnership(home, 'init');
  try {
    await makeVault(input, home, plan);
  } finally {
    plan.passphrase?.fill(0);
    releaseOwnership(home);
  }
  return EXIT.done;
};
