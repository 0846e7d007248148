/** What a limited token may reach. What it may not reach is not there for it. */
import { RequestError } from '../errors/request-error.ts';
import type { Limits, SecretName } from '../messages.ts';
import { matchesGlob } from './glob.ts';

/** A secret's own value counts as the field of this name, which no field has. */
export const OWN_VALUE = '';

export interface Access {
  readonly allowsSecret: (name: SecretName) => boolean;
  /** Whether a field, or the secret's own value (OWN_VALUE), of a secret may be read and set. */
  readonly allowsField: (field: string) => boolean;
  /** The one environment that may be reached; null if there are several, or all. */
  readonly onlyEnvironment: string | null;
  /** Whether some fields are kept from the token: then it may not move, delete or restore whole secrets either. */
  readonly isForFields: boolean;
}

export const ALL_ACCESS: Access = {
  allowsSecret: () => true,
  allowsField: () => true,
  onlyEnvironment: null,
  isForFields: false,
};

export function noSuchSecret(): RequestError {
  return new RequestError('not_found', 'no such secret in this environment');
}

/** Throws RequestError `not_found` for a token that may only reach some fields. */
export function requireWholeSecrets({ access }: { readonly access: Access }): void {
  if (access.isForFields) throw noSuchSecret();
}

/** The limits of few tokens are in use at once. */
const parsed = new Map<string, Access>();
const MAX_PARSED = 1_000;

/** Takes the limits as a principal has them: the JSON of a list of Limits, all of which hold. */
export function parseAccess(text: string): Access {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const access = makeAccess(JSON.parse(text) as readonly Limits[]);
  if (parsed.size === MAX_PARSED) parsed.clear();
  parsed.set(text, access);
  return access;
}

function makeAccess(limits: readonly Limits[]): Access {
  return {
    allowsSecret: ({ name, environment }) =>
      limits.every(
        ({ environments, names }) =>
          (environments === undefined || environments.includes(environment)) &&
          (names === undefined || names.some((glob) => matchesGlob(glob, name))),
      ),
    allowsField: (field) =>
      limits.every(({ fields }) => fields === undefined || fields.some((glob) => matchesGlob(glob, field))),
    onlyEnvironment: limits.find(({ environments }) => environments?.length === 1)?.environments?.[0] ?? null,
    isForFields: limits.some(({ fields }) => fields !== undefined),
  };
}
