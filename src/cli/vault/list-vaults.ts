/** The user's vaults: the default one, and those below the folder of vaults with a name. */
import { readdirSync } from 'node:fs';
import { locateVaults } from '../../places/home.ts';
import { DEFAULT_VAULT, isVaultName } from '../../places/vault-names.ts';

/** The default one first, the others in the order of their names. A folder without a vault in it is listed, too. */
export function listVaultNames(env: NodeJS.ProcessEnv): string[] {
  return [DEFAULT_VAULT, ...listFolders(locateVaults(env)).filter(isVaultName).toSorted()];
}

function listFolders(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
