/** What `mav exec` and its kind say of secrets that have expired, and are handed out all the same. */
import { formatTime } from '../../text/format-time.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input, Reference } from '../run/command.ts';

/** A secret with the time from which it should not be used. */
export interface Expiring {
  readonly source: Reference;
  readonly expiresAt: string;
}

/** Names each secret once, whatever was taken of it. Says nothing if none has expired. */
export function noteExpired({ context }: Pick<Input, 'context'>, expiring: readonly Expiring[]): void {
  const expired = expiring.filter(({ expiresAt }) => Date.parse(expiresAt) <= Date.now());
  const named = new Set(
    expired.map(
      ({ source: { name, environment }, expiresAt }) =>
        `${describeSecret(name, environment)} (${formatTime(expiresAt)})`,
    ),
  );
  if (named.size > 0) context.say(`Note: expired, and used all the same: ${[...named].join(', ')}`);
}
