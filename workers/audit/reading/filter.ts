/** Which entries, and which of their secrets, are asked for. */
import { Buffer } from 'node:buffer';
import type { AuditEntry, AuditSecret } from './entry.ts';

export interface EntryFilter {
  /** Returns what of a secret is asked for; null if nothing is. An entry without such a secret is left out. Absent: all entries. */
  readonly narrow?: (secret: AuditSecret) => AuditSecret | null;
  /** Entries without secrets are those of lists. Then: the environment that was listed. */
  readonly listed?: string;
  /** The id of a token, or `session`: what it did, and what was done to it. */
  readonly token?: string;
  /** An operation, or the beginning of several if it ends with `.` or `*`. */
  readonly operation?: string;
}

/** Returns the entry with the secrets that are asked for; null if it is not. */
export function filterEntry(
  entry: AuditEntry,
  { narrow, listed, token, operation }: EntryFilter,
): AuditEntry | null {
  if (token !== undefined && entry.by !== token && entry.token !== token) return null;
  if (operation !== undefined && !matchesOperation(entry.op, operation)) return null;
  if (narrow === undefined) return entry;
  if (entry.secrets === undefined && listed !== undefined && entry.environment === listed) return entry;
  const secrets = (entry.secrets ?? []).map(narrow).filter((secret) => secret !== null);
  return secrets.length === 0 ? null : { ...entry, secrets };
}

function matchesOperation(op: string, wanted: string): boolean {
  if (wanted.endsWith('*')) return op.startsWith(wanted.slice(0, -1));
  return wanted.endsWith('.') ? op.startsWith(wanted) : op === wanted;
}

/** Returns texts that the line of every entry of this filter has. */
export function findNeedles({ token, operation }: EntryFilter): readonly Buffer[] {
  return [
    ...(token === undefined ? [] : [Buffer.from(`"${token}"`)]),
    ...(operation === undefined ? [] : [Buffer.from(`"op":"${operation.replace(/\*$/, '')}`)]),
  ];
}
