/** `mav init`: makes a vault. */
import { secureHome } from '../../home.ts';
import type { Run } from '../command.ts';
import { createVault } from '../create-vault.ts';
import { EXIT } from '../failure.ts';

export const run: Run = async (input) => {
  const { home } = input;
  secureHome(home);
  const { releaseOwnership, takeOwnership } = await import('../../daemon/ownership.ts');
  takeOwnership(home, 'init');
  try {
    await createVault(input, home);
  } finally {
    releaseOwnership(home);
  }
  return EXIT.done;
};
