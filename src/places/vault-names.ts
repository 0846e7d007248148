/**
 * Vaults with a name: `mav --vault NAME` and MAV_VAULT. Each has a folder of its own below one folder, and so its own key
 * slots, daemon and socket. That folder lies beside the usual vault's, so that neither daemon may reach the other's files.
 */

/** The vault that is used where no name is given. */
export const DEFAULT_VAULT = 'default';
/** Below the user's home. */
export const VAULTS_FOLDER = '.maestrovaults';

/** Short enough for the path of a socket, and one name on file systems that do not tell capitals. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export class VaultNameError extends Error {
  override readonly name = 'VaultNameError';
  /** As for a config.json that cannot be followed. */
  readonly code = 'bad_config';
}

export function isVaultName(name: string): boolean {
  return NAME.test(name);
}

/** Which vault flags say. */
export interface Chosen {
  readonly home?: string | undefined;
  readonly vault?: string | undefined;
}

/**
 * Returns the environment with MAV_HOME, MAV_SOCKET and MAV_VAULT as the flags want them. Flags win. Throws VaultNameError where
 * two flags or two variables say which vault is meant: secrets of one must not get into the other by mistake.
 */
export function chooseVault(env: NodeJS.ProcessEnv, { home, vault }: Chosen): NodeJS.ProcessEnv {
  if (home !== undefined && vault !== undefined)
    throw new VaultNameError('--home and --vault both say which vault is meant; give one of them');
  if (home !== undefined) return { ...env, MAV_HOME: home, MAV_VAULT: undefined };
  if (vault !== undefined) checkName('--vault', vault);
  if (vault === DEFAULT_VAULT) return { ...env, MAV_VAULT: undefined };
  if (vault !== undefined) return { ...env, MAV_HOME: undefined, MAV_SOCKET: undefined, MAV_VAULT: vault };
  const { MAV_VAULT: named } = env;
  if (!named || named === DEFAULT_VAULT) return env;
  checkName('MAV_VAULT', named);
  for (const name of ['MAV_HOME', 'MAV_SOCKET'])
    if (env[name])
      throw new VaultNameError(`MAV_VAULT and ${name} both say which vault is meant; unset one of them`);
  return env;
}

function checkName(where: string, name: string): void {
  if (isVaultName(name)) return;
  throw new VaultNameError(
    `${where} must be a name of 1 to 32 letters a-z, digits and hyphens, without a hyphen at an end`,
  );
}
