/** Opens every secret, every old version and every deletion, one after the other. Holds one value at a time, for `verifyRow`. */
import { IntegrityError } from '../envelope/integrity.ts';
import type { ReadableVault } from '../open-vault.ts';
import { listReadable } from '../store/rescue.ts';
import { type CheckedRow, findProblem, openEntry, type Position } from './checked-rows.ts';
import { findDeletionOf } from './deletions.ts';

const CURRENT = { entry: 'secrets', field: 'fields' } as const;
const OLD = { entry: 'versions', field: 'old_fields' } as const;
/** Rows that are listed at once. */
const LISTED = 100;

/** In the order of name and environment. Goes on behind rows that SQLite cannot read. */
export function* checkSecrets(vault: ReadableVault, [name, environment]: Position): Generator<CheckedRow> {
  const after =
    name === undefined ? {} : { after: { name: String(name), environment: String(environment ?? '') } };
  for (const { name: named, read } of listReadable(vault.secrets, after)) {
    const position = [named.name, named.environment];
    let opened: Omit<CheckedRow, 'position'> | null = null;
    const problem = findProblem(() => {
      const row = read();
      const fields = vault.secrets.listFields(row.id);
      opened = openEntry(vault.keyring, { tables: CURRENT, row: { ...row, fields }, fields });
    });
    yield { position, ...(opened ?? explainUnread('secrets', named, problem)) };
  }
}

function explainUnread(
  table: 'secrets' | 'versions',
  where: { readonly name?: string; readonly environment?: string; readonly version?: number },
  problem: CheckedRow['damaged'][number]['problem'] | null,
): Omit<CheckedRow, 'position'> {
  const { name, environment, version } = where;
  return {
    rows: { [table]: 1 },
    bytes: 0,
    damaged: [
      {
        table,
        ...(name === undefined ? {} : { name }),
        ...(environment === undefined ? {} : { environment }),
        ...(version === undefined ? {} : { version }),
        problem: problem ?? 'changed',
      },
    ],
  };
}

/** In the order of the secrets' ids. */
export function* checkVersions(vault: ReadableVault, position: Position): Generator<CheckedRow> {
  let [id = 0, revision = 0] = position.map(Number);
  for (;;) {
    const listed = vault.history.listAfter(id, revision, LISTED);
    for (const each of listed) {
      [id, revision] = [each.secretId, each.revision];
      yield { position: [id, revision], ...openVersion(vault, id, revision) };
    }
    if (listed.length < LISTED) return;
  }
}

/** Opens, with the version, the fields that it was the last to have. The others are opened with the versions after it. */
function openVersion(
  { keyring, history }: ReadableVault,
  id: number,
  revision: number,
): Omit<CheckedRow, 'position'> {
  let opened: Omit<CheckedRow, 'position'> | null = null;
  const problem = findProblem(() => {
    const row = history.find(id, revision);
    if (row === null) throw new IntegrityError();
    const fields = history.readFieldsAt(row).listFieldHeads(id);
    opened = openEntry(keyring, {
      tables: OLD,
      row: { ...row, fields },
      fields: history.listOldFields(id, revision + 1),
    });
  });
  return opened ?? explainUnread('versions', { version: revision }, problem);
}

/** Each deletion must be what the newest version of its secret says. */
export function* checkDeletions(
  vault: ReadableVault,
  [name, environment, id]: Position,
): Generator<CheckedRow> {
  let after =
    name === undefined
      ? undefined
      : { name: String(name), environment: String(environment ?? ''), secretId: Number(id ?? 0) };
  for (;;) {
    const listed = vault.history.listDeleted({ limit: LISTED, ...(after === undefined ? {} : { after }) });
    for (const row of listed) {
      const { name: deleted, environment: in_, secretId } = row;
      const problem = findProblem(() => {
        if (findDeletionOf(vault, row) === null) throw new IntegrityError();
      });
      yield {
        position: [deleted, in_, secretId],
        rows: { deleted: 1 },
        bytes: 0,
        damaged: problem === null ? [] : [{ table: 'deleted', name: deleted, environment: in_, problem }],
      };
    }
    after = listed.at(-1);
    if (listed.length < LISTED) return;
  }
}
