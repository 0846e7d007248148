/**
 * What answers with many entries share: how large one may grow, and how an entry that fails stands in its place. Holds
 * no secret of its own; what was written of an entry that fails is zeroed here.
 */
import { IntegrityError } from '../envelope/integrity.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { RequestError } from '../request-error.ts';
import { findDamageCode } from '../store/unusable.ts';
import { writeNames } from './secrets.ts';

/** How many entries the log names at most, of those that cannot be read. */
const MAX_NAMED = 20;

interface Named {
  readonly name: string;
  readonly environment: string;
}

type EntryErrorCode = 'integrity' | 'not_found';

/** Why an entry is not in an answer. */
export interface Omission {
  readonly code: EntryErrorCode;
  /** What SQLite says, where the database file is damaged there. */
  readonly damage?: string;
}

/**
 * Runs `write`, which writes one entry. One that was changed or is not there must not spoil the others: the error
 * stands in its place, and this answers why; null for an entry that was written.
 */
export function writeOrExplain(
  entry: Named & { readonly field?: string },
  reply: ReplyBuffer,
  write: () => void,
): Omission | null {
  const offset = reply.length;
  try {
    write();
    return null;
  } catch (error) {
    const { message, ...omission } = explain(error);
    reply.truncate(offset);
    writeNames(entry, reply);
    writeFieldName(entry, reply);
    reply.ascii(`,"error":${JSON.stringify(message)},"code":"${omission.code}"}`);
    return omission;
  }
}

/** Throws on what is about more than one entry. */
function explain(error: unknown): Omission & { readonly message: string } {
  if (error instanceof IntegrityError) return { code: 'integrity', message: error.message };
  const damage = findDamageCode(error);
  if (damage !== null) return { code: 'integrity', message: new IntegrityError().message, damage };
  if (error instanceof RequestError && error.code === 'not_found')
    return { code: error.code, message: error.message };
  throw error;
}

/** The member `field`, where there is one; the comma comes first. */
export function writeFieldName({ field }: { readonly field?: string }, reply: ReplyBuffer): void {
  if (field === undefined) return;
  reply.ascii(',"field":');
  reply.string(field);
}

/** For the log: which entries failed verification, by name. */
export function describeUnreadable(during: string, entries: readonly Named[]): string {
  const names = entries
    .slice(0, MAX_NAMED)
    .map(({ name, environment }) => JSON.stringify([name, environment]));
  const more = entries.length > MAX_NAMED ? ` and ${entries.length - MAX_NAMED} more` : '';
  return `${during}: entries that fail verification, as [name, environment]: ${names.join(', ')}${more}`;
}
