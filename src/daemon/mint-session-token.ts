/** Makes the session token, by which the command line proves to the daemon that the same user runs it. */
import { randomBytes } from 'node:crypto';

/** Returns `mvs_` and 64 hex characters. */
export function mintSessionToken(): string {
  return `mvs_${randomBytes(32).toString('hex')}`;
}
