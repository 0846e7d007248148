/** How large one entry and one reply may be. */
import type { EntryLimits } from '../messages.ts';

/** Limits of one entry, unless config.json sets lower ones. `bytes` counts value, fields and metadata together. */
export const ENTRY_LIMITS: EntryLimits = { fields: 1_000, bytes: 8 * 1_048_576 };

/** 4 MiB. A reply that has grown beyond this takes no further entry, because the whole reply lies in memory. */
export const MAX_REPLY_SIZE = 4 * 1_048_576;
