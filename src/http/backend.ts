import type { ChangedRows } from '../../workers/messages.ts';
import type { Approvals } from '../auth/approvals.ts';
import type { GuessLimit } from '../auth/limits.ts';
import type { Principals } from '../auth/principals.ts';
import type { PendingCall } from '../call-result.ts';
import type { LongWork } from '../long-work.ts';
import type { Problem } from '../remedies.ts';
import type { Pool } from '../routes.ts';
import type { ChangeStreams } from './change-streams.ts';

/** The vault, as far as answering needs it. */
export interface Backend {
  readonly principals: Principals;
  readonly guesses: GuessLimit;
  readonly approvals: Approvals;
  /** Why the vault is sealed; null while it is unsealed. */
  readonly sealedBecause: Problem | null;
  /** Whether the database was found damaged. Then nothing is written to it any more. */
  readonly isDamaged: boolean;
  /** What the last check of all rows found changed without the key, and when; null if nothing. */
  readonly changedRows: (ChangedRows & { readonly foundAtMs: number }) | null;
  /** Whether the files that the daemon was started from have been replaced. */
  readonly isReplaced: boolean;
  readonly changeStreams: ChangeStreams;
  /** Progress of the long requests that are under way. */
  readonly longWork: LongWork;
  /** When the vault will seal itself, in milliseconds of the time of day (null: never); null if it does not. */
  readonly sealingTimes: { readonly idleAtMs: number | null; readonly latestAtMs: number | null } | null;
  /** What `seal_on` asks for and the daemon does not hear at present, and why; each in words for people. */
  readonly unheard: readonly string[];
  /** Resolves when no unsealing is under way. `isUse`: the request may begin one, if the vault has sealed itself. */
  settled(isUse?: boolean): Promise<void>;
  noteUse(tokenId: string, nowMs: number): void;
  /** Counts a use of a token with so many. Resolves with false if none is left. Rejects with Failure's words as HttpError. */
  takeUse(tokenId: string, maxUses: number): Promise<boolean>;
  /** Runs a call on a pool. A read may be left out if `isWanted` says that its client is gone. */
  dispatch(pool: Pool, pending: PendingCall): void;
}
