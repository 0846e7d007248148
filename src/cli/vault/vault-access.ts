/** How a command reaches the vault, and what it may expect there. Types only. */
import type { Client } from '../../client/client.ts';

/** `own`: this process has the vault, because no daemon runs. */
export type VaultAccess = 'daemon' | 'own';

/** Uses a vault; `access` says how it was reached. */
export type Use<T> = (client: Client, access: VaultAccess) => Promise<T>;

export interface AccessOptions {
  /** The use works with a sealed vault. Then no passphrase is asked for. */
  readonly mayBeSealed?: boolean;
  /** How long to wait, without a daemon, while another command has the vault; absent: as long as many commands need. */
  readonly turnPatienceMs?: number;
  /** How long a daemon may take for all of it; absent: as long as it answers others meanwhile. */
  readonly answerWithinMs?: number;
  /** The use brings the vault's key itself, so its remedy cannot be to unseal the vault first. */
  readonly bringsKey?: boolean;
}
