/** Finds the version of a secret that a call asks for. Without a `version` that is the current one. */
import { getVersion } from '../bodies/parameters.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import { RequestError } from '../errors/request-error.ts';
import type { Call, SecretName } from '../messages.ts';
import type { ReadableVault } from '../open-vault.ts';
import type { SecretRow, VersionHead, VersionRow } from '../store/columns.ts';
import { ALWAYS_ASKED, NEVER_ASKED } from './confirm.ts';
import { getDeletion, isGenuineVersion } from './deletions.ts';
import { getSecretRow } from './entries.ts';

/** A row, and the vault whose `fields` are those of that version. */
export interface AskedVersion {
  readonly vault: ReadableVault;
  readonly row: SecretRow;
}

/** Throws RequestError `not_found` if there is no such secret, or if it has no such version; IntegrityError. */
export function getAskedVersion(vault: ReadableVault, call: Call, name: SecretName): AskedVersion {
  const revision = getVersion(call);
  if (revision === undefined) return { vault, row: getSecretRow(vault, name) };
  const current = vault.secrets.find(name);
  if (current?.revision === revision) {
    checkVersion(vault, current);
    return { vault: { ...vault, asksToday: current.confirm }, row: current };
  }
  const newest = current ?? getDeletion(vault, name);
  const row = newest === null ? null : vault.history.find(newest.id, revision);
  if (row === null) throw new RequestError('not_found', 'no such version of this secret is kept');
  checkVersion(vault, row);
  const asksToday = newest === null ? NEVER_ASKED : findAsked(vault, newest);
  return { vault: { ...vault, asksToday, fields: vault.history.readFieldsAt(row) }, row };
}

/** Returns what a secret asks for today, as stored. If nothing vouches for its row, that is to be asked always. */
function findAsked(vault: ReadableVault, newest: SecretRow | VersionHead): number {
  return isGenuineVersion(vault, newest) ? newest.confirm : ALWAYS_ASKED;
}

/**
 * Throws IntegrityError unless the version, with its list of fields, is as somebody with the key kept it: otherwise a field of
 * another version could be read as one of this. Throws RequestError `not_found` if it is a deletion, which has no content.
 */
export function checkVersion(vault: ReadableVault, row: SecretRow | VersionRow): void {
  if (!isGenuineVersion(vault, row)) throw new IntegrityError();
  if (row.change !== 'delete') return;
  throw new RequestError(
    'not_found',
    `the secret was deleted in version ${row.revision}; choose another one`,
  );
}
