/** Opens the draft of a backup for a check, with the keys of the vault that it was made of. Holds no value. */
import { existsSync } from 'node:fs';
import { badRequest } from '../bodies/parameters.ts';
import { RequestError } from '../errors/request-error.ts';
import { locateDraft } from '../files/backup-drafts.ts';
import type { ReadableVault } from '../open-vault.ts';
import { type Db, openForReading } from '../store/database.ts';
import { HistoryReader } from '../store/history.ts';
import { RowSetStore } from '../store/row-set.ts';
import { SecretReader } from '../store/secrets.ts';
import { TokenStore } from '../store/tokens.ts';
import { VaultStore } from '../store/vault.ts';

/** The caller closes it. Throws RequestError. */
export function openDraft(databasePath: string, id: string): Db {
  const path = locateDraft(databasePath, id);
  if (path === null) throw badRequest('backup', 'is not the id of a backup');
  if (!existsSync(path))
    throw new RequestError('not_found', 'the draft of this backup is gone; make another');
  return openForReading(path, 1, () => {});
}

/** Hands out the draft for the length of a call. Throws RequestError. */
export function withBackup(vault: ReadableVault, id: string, use: (copy: ReadableVault) => void): void {
  const db = openDraft(vault.databasePath, id);
  try {
    const rows = new VaultStore(db);
    refuseOtherKeys(vault, rows);
    const secrets = new SecretReader(db);
    const [history, tokens] = [new HistoryReader(db), new TokenStore(db)];
    use({
      ...vault,
      secrets,
      fields: secrets,
      history,
      tokens,
      vault: rows,
      rowSetRows: new RowSetStore(db),
    });
  } finally {
    db.close();
  }
}

/** The copy has the keys of the moment when it was made. */
function refuseOtherKeys({ keyring }: ReadableVault, rows: VaultStore): void {
  const isSame = rows.getVaultId().equals(keyring.vaultId);
  if (!isSame || rows.listKeks().some(({ id }) => keyring.find(id) === null))
    throw new RequestError('conflict', 'the key of the vault was rotated meanwhile; make the backup again');
}
