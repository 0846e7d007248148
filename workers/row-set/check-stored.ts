/** Checks what is stored without opening each row: the set of rows, and where the files of the audit log end. */
import { checkEnds } from '../audit/reading/check-ends.ts';
import type { Problem } from '../audit/reading/problems.ts';
import { StoredLog } from '../audit/reading/stored-log.ts';
import type { Keyring } from '../keys/keyring.ts';
import { AuditStore } from '../store/audit.ts';
import type { Db } from '../store/database.ts';
import { RowSetStore } from '../store/row-set.ts';
import { checkRows, type RowFindings } from './check-rows.ts';

export interface StoredFindings {
  readonly rows: RowFindings;
  readonly log: readonly Problem[];
}

export type CheckSteps = Generator<void, StoredFindings>;

/** As checkRows. `directory`: the vault's folder. */
export function* checkStored(db: Db, directory: string, keyring: Keyring): CheckSteps {
  const rowSetRows = new RowSetStore(db);
  const log = new StoredLog({ directory, segmentRows: new AuditStore(db), rowSetRows }, keyring);
  // First, because what the snapshot knows of the files must not be much older than they are.
  const problems = yield* checkEnds(log);
  return { log: problems, rows: yield* checkRows(rowSetRows, keyring) };
}
