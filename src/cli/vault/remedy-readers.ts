/** How somebody at the command line can follow a remedy, which depends on how the command reaches the vault. */
import type { Reader } from '../../remedies.ts';

/**
 * `session`: a daemon runs. `key`: a command that was to bring the key itself (`mav unseal`).
 * `token`: a command that has MAV_TOKEN, with which nothing can be unsealed.
 * `own`: a command that opens the vault itself, because no daemon runs. `unasking`: one that never asks for a passphrase.
 */
export type Told = 'session' | 'key' | 'token' | 'own' | 'unasking';

const FILE_OR_DAEMON = 'give --passphrase-file FILE, or start the daemon: mav serve';
const UNSEAL: Partial<Readonly<Record<Told, string>>> = {
  session: 'run: mav unseal',
  token: 'run, without MAV_TOKEN: mav unseal',
};
/** `typing`: what lets somebody be asked. */
const GIVE_PASSPHRASE: Partial<Readonly<Record<Told, (typing: string) => string>>> = {
  key: (typing) => `${typing}, or give --passphrase-file FILE`,
  own: (typing) => `${typing}, ${FILE_OR_DAEMON}`,
  unasking: () => FILE_OR_DAEMON,
};

/** `typing`: what lets somebody be asked for a passphrase. */
export function chooseReader(told: Told, typing = 'run this on a terminal'): Reader {
  return {
    unseal: UNSEAL[told] ?? null,
    givePassphrase: GIVE_PASSPHRASE[told]?.(typing) ?? null,
    force: 'give --even-if-key-stays',
  };
}
