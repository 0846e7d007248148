/** What a vault allows one entry, unless its config.json says less. Holds no secret. */
import type { EntryLimits } from '../messages.ts';

/** `bytes`: value, fields and metadata together. */
export const ENTRY_LIMITS: EntryLimits = { fields: 1_000, bytes: 8 * 1_048_576 };
