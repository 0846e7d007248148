/** Where a stored value belongs. Its envelope is bound to this place, so it cannot be decrypted for another one. */
import type { SecretName } from '../messages.ts';

export interface Place extends SecretName {
  readonly kind: 'secret' | 'field';
  /** Empty for a secret's own value. */
  readonly field: string;
}

/** Returns the place of a secret's own value. */
export function secretPlace({ name, environment }: SecretName): Place {
  return { kind: 'secret', environment, name, field: '' };
}

/** Returns the place of a field of that secret. */
export function fieldPlace({ name, environment }: SecretName, field: string): Place {
  return { kind: 'field', environment, name, field };
}
