/**
 * Writes an error in the place of an entry that cannot be read, in replies with many entries. Bytes of the entry that were
 * already written are zeroed here.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { SecretName } from '../messages.ts';
import { findDamageCode } from '../store/unusable.ts';
import { NeedsApprovalError } from './approvals.ts';
import { writeNames } from './write-entry.ts';

/** The most unreadable entries that one line of the log names. */
const MAX_NAMED = 20;

type EntryErrorCode = 'integrity' | 'not_found' | 'not_approved';

/** Why an entry is missing from a reply. */
export interface Omission {
  readonly code: EntryErrorCode;
  /** SQLite's error code, if the file is damaged there. */
  readonly damage?: string;
}

/**
 * Runs `write`, which writes one entry, and returns null. An entry that is missing or was tampered with must not spoil the
 * others: its error is written instead, and this returns the reason.
 */
export function writeOrExplain(
  entry: SecretName & { readonly field?: string },
  reply: ReplyBuffer,
  write: () => void,
): Omission | null {
  const offset = reply.length;
  try {
    write();
    return null;
  } catch (error) {
    const { message, ...omission } = explainOmission(error);
    reply.truncate(offset);
    writeNames(entry, reply);
    writeFieldName(entry, reply);
    reply.ascii(`,"error":${JSON.stringify(message)},"code":"${omission.code}"}`);
    return omission;
  }
}

/** Rethrows an error that concerns more than one entry. */
function explainOmission(error: unknown): Omission & { readonly message: string } {
  if (error instanceof IntegrityError) return { code: 'integrity', message: error.message };
  const damage = findDamageCode(error);
  if (damage !== null) return { code: 'integrity', message: new IntegrityError().message, damage };
  // The whole call fails in the end, and names every such entry.
  if (error instanceof NeedsApprovalError) return { code: 'not_approved', message: error.message };
  if (error instanceof RequestError && error.code === 'not_found')
    return { code: error.code, message: error.message };
  throw error;
}

/** Writes a comma and the member `field`, if there is one. */
export function writeFieldName({ field }: { readonly field?: string }, reply: ReplyBuffer): void {
  if (field === undefined) return;
  reply.ascii(',"field":');
  reply.string(field);
}

/** Returns a line for the log that names the entries that failed verification. */
export function describeUnreadable(during: string, entries: readonly SecretName[]): string {
  const names = entries
    .slice(0, MAX_NAMED)
    .map(({ name, environment }) => JSON.stringify([name, environment]));
  const more = entries.length > MAX_NAMED ? ` and ${entries.length - MAX_NAMED} more` : '';
  return `${during}: entries that fail verification, as [name, environment]: ${names.join(', ')}${more}`;
}
