/** What a thread reads and writes an open database file with. It has no key. */
import { dirname } from 'node:path';
import { Touched } from './audit/touched.ts';
import { ALL_ACCESS } from './entries/access.ts';
import { Approvals } from './entries/approvals.ts';
import { countStepsIn } from './long-work.ts';
import type { Author, HistoryLimits, WorkerOptions } from './messages.ts';
import type { FileId, OpenVault } from './open-vault.ts';
import { RecentChanges } from './recent-changes.ts';
import { RowSet } from './row-set/row-set.ts';
import { AuditStore } from './store/audit.ts';
import { checkSchema } from './store/check-schema.ts';
import type { Db } from './store/database.ts';
import { HistoryReader, HistoryWriter } from './store/history.ts';
import { RotationStore } from './store/rotation.ts';
import { RowSetStore } from './store/row-set.ts';
import { SecretReader, SecretWriter } from './store/secrets.ts';
import { TokenStore } from './store/tokens.ts';
import { Transactions } from './store/transactions.ts';
import { VaultStore } from './store/vault.ts';

/** Unless config.json sets others. */
const HISTORY_LIMITS: HistoryLimits = { keptVersions: 10, deletedSeconds: 30 * 86_400 };

/** The author of a write that no principal asked for. */
const NOBODY: Author = { id: '', isTrusted: false };

/** An unsealed vault without what needs its key. */
export type Stores = Omit<OpenVault, 'keyring' | 'audit'>;

/** `db` must be the open file that `file` identifies. Reads nothing of it yet. `isWriter`: whether the connection may write. */
export function makeStores(
  db: Db,
  file: FileId,
  { databasePath, longWork, entryLimits = {}, historyLimits }: WorkerOptions,
  isWriter: boolean,
): Stores {
  const vault = new VaultStore(db);
  const secrets = new SecretReader(db);
  const rowSet = isWriter ? new RowSet(db) : null;
  return {
    db,
    file,
    rowSet,
    rowSetRows: new RowSetStore(db),
    transactions: new Transactions(db, () => checkSchema(db, databasePath), rowSet),
    databasePath,
    directory: dirname(databasePath),
    secrets,
    access: ALL_ACCESS,
    fields: secrets,
    history: new HistoryReader(db),
    touched: new Touched(),
    approvals: new Approvals(),
    writer: new SecretWriter(db),
    historyWriter: new HistoryWriter(db),
    historyLimits: { ...HISTORY_LIMITS, ...historyLimits },
    change: null,
    noteChange: () => {},
    changes: new RecentChanges(),
    tokens: new TokenStore(db),
    segmentRows: new AuditStore(db),
    rotation: new RotationStore(db),
    vault,
    nextVersion: () => vault.takeVersions(1),
    author: NOBODY,
    countSteps: countStepsIn(longWork),
    entryLimits,
  };
}
