/** What of the entries of the audit log is asked for, and may be seen by the token that asks. */
import type { AuditSecret } from '../audit/reading/entry.ts';
import { type Access, ALL_ACCESS, OWN_VALUE } from './access.ts';
import { matchesGlob } from './glob.ts';

type Narrow = (secret: AuditSecret) => AuditSecret | null;

/** Returns undefined if everything is wanted. `name`: a glob. */
export function narrowToAccess(
  access: Access,
  name: string | undefined,
  environment: string | undefined,
): Narrow | undefined {
  if (access === ALL_ACCESS && name === undefined && environment === undefined) return undefined;
  return (secret) => {
    if (name !== undefined && !matchesGlob(name, secret.name)) return null;
    if (environment !== undefined && environment !== secret.environment) return null;
    return access.allowsSecret(secret) ? narrowFields(secret, access) : null;
  };
}

/** Of what was read a token that may reach some fields sees only these. */
function narrowFields(secret: AuditSecret, access: Access): AuditSecret | null {
  const { value, fields, ...rest } = secret;
  if (!access.isForFields || !secret.read) return secret;
  const own = value === true && access.allowsField(OWN_VALUE);
  const allowed = (fields ?? []).filter(access.allowsField);
  if (!own && allowed.length === 0) return null;
  return { ...rest, ...(own ? { value } : {}), ...(allowed.length === 0 ? {} : { fields: allowed }) };
}
