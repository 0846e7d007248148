/** Makes the session token: how the command line proves to the daemon that it is run by the same user. */
import { randomBytes } from 'node:crypto';

/** `mvs_` and 64 hex characters. */
export function mintSessionToken(): string {
  return `mvs_${randomBytes(32).toString('hex')}`;
}
