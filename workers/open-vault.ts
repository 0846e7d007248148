/** What the handlers of operations are given of an unsealed vault, to read and to write. */
import type { AuditLog } from './audit/reading/segments.ts';
import type { Touched } from './audit/touched.ts';
import type { Access } from './entries/access.ts';
import type { Approvals } from './entries/approvals.ts';
import type { Keyring } from './keys/keyring.ts';
import type { CountSteps } from './long-work.ts';
import type { Author, Change, ChangeKind, EntryLimits, HistoryLimits, SecretName } from './messages.ts';
import type { RecentChanges } from './recent-changes.ts';
import type { RowFindings } from './row-set/check-rows.ts';
import type { RowSet } from './row-set/row-set.ts';
import type { AuditStore } from './store/audit.ts';
import type { Db } from './store/database.ts';
import type { FieldReader, HistoryReader, HistoryWriter } from './store/history.ts';
import type { RotationStore } from './store/rotation.ts';
import type { RowSetStore } from './store/row-set.ts';
import type { SecretReader, SecretWriter } from './store/secrets.ts';
import type { TokenStore } from './store/tokens.ts';
import type { Transactions } from './store/transactions.ts';
import type { VaultStore } from './store/vault.ts';

/** What is read of secrets. A limited token has a source of its own (`limitVault`). */
export type SecretSource = { readonly [Method in keyof SecretReader]: SecretReader[Method] };
export type HistorySource = { readonly [Method in keyof HistoryReader]: HistoryReader[Method] };

/** What an operation that only reads works with. */
export interface ReadableVault {
  readonly keyring: Keyring;
  readonly databasePath: string;
  readonly directory: string;
  readonly secrets: SecretSource;
  /** What the token that asks may reach. */
  readonly access: Access;
  /** Reads the fields of a secret: of its current version, or of an old one that was asked for. */
  readonly fields: FieldReader;
  readonly history: HistorySource;
  /** What the call was given, and the token that it is about. */
  readonly touched: Touched;
  /** Which values the call may be given. */
  readonly approvals: Approvals;
  /** For a version that was asked for: what its secret asks for today, as stored. */
  readonly asksToday?: number;
  readonly tokens: TokenStore;
  readonly audit: AuditLog;
  readonly vault: VaultStore;
  readonly rotation: RotationStore;
  /** The MAC over the set of rows. */
  readonly rowSetRows: RowSetStore;
  /** What the check of all rows found that was made for this call; absent: it is to be made now. */
  readonly rowFindings?: RowFindings;
  /** The rows of the audit log. */
  readonly segmentRows: AuditStore;
  readonly countSteps: CountSteps;
  /** Limits of one entry that are lower than the program's own. */
  readonly entryLimits: Partial<EntryLimits>;
  readonly historyLimits: HistoryLimits;
  /** What this thread committed. */
  readonly changes: RecentChanges;
  /** Whether short calls wait for this thread. A large entry is then refused, and asked for again in the queue of long calls. */
  readonly isForShort?: boolean;
}

/** What an operation inside the writer's transaction works with. */
export interface WritableVault extends ReadableVault {
  readonly writer: SecretWriter;
  readonly historyWriter: HistoryWriter;
  /** What the versions of secrets that the operation makes say made them; null if it makes none. */
  readonly change: Change | null;
  /**
   * Notes that the operation changes a secret, whose version is `version` then. If the operation fails, nothing was noted. A
   * renamed secret is noted under both names.
   */
  readonly noteChange: (name: SecretName, version: number, kind: ChangeKind) => void;
  /** A version that no value of this vault has had before. */
  readonly nextVersion: () => number;
  /** The principal to which a write is bound. */
  readonly author: Author;
}

/** An unsealed vault, for code that runs the transactions of operations. */
export interface OpenVault extends WritableVault {
  readonly db: Db;
  readonly transactions: Transactions;
  /** Follows the rows that the writer changes; null in a reader. */
  readonly rowSet: RowSet | null;
  /** Identifies the file that is open. */
  readonly file: FileId;
}

/** Tells a file from another one that was put in its place. */
export interface FileId {
  readonly dev: number;
  readonly ino: number;
}
