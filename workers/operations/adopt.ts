/**
 * Adopting a vault: says what the vault is, without a key, and records it in the list of known vaults. Only a short command
 * can ask for either; no request to a daemon can.
 */
import { dirname } from 'node:path';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import type { Call, KnownVault, WorkerOptions } from '../messages.ts';
import { forgetEpoch } from '../row-set/known-epochs.ts';
import { findDifference } from '../store/check-known.ts';
import { inspectDatabase } from '../store/database.ts';
import { KnownVaultsError, recordVault } from '../store/known-vaults.ts';
import { identifyVault } from '../store/vault.ts';

/** Writes `{"found": KnownVault, "difference"}`. The difference is in words; null if there is none, or if no vault is known. */
export function inspectVault({ databasePath, known }: WorkerOptions, reply: ReplyBuffer): undefined {
  const found = identifyAt(databasePath);
  const difference = known === null ? null : findDifference(known, found);
  reply.raw(JSON.stringify({ found, difference }));
}

/** Parameter `found`: the vault that the user was shown, as `inspectVault` wrote it. Throws RequestError if another lies there now. */
export function adoptVault(
  { databasePath, knownVaultsPath }: WorkerOptions,
  { params }: Call,
  reply: ReplyBuffer,
): undefined {
  const found = identifyAt(databasePath);
  if (JSON.stringify(found) !== params.found)
    throw new RequestError('conflict', `${databasePath} was exchanged meanwhile; nothing was done`);
  try {
    recordVault(knownVaultsPath, dirname(databasePath), found);
    // How old it may be is the user's to say, too.
    forgetEpoch(knownVaultsPath, dirname(databasePath), Buffer.from(found.vault_id, 'hex'));
  } catch (error) {
    throw error instanceof KnownVaultsError ? new RequestError('conflict', error.message) : error;
  }
  writeStatus('adopted', {}, reply);
}

function identifyAt(databasePath: string): KnownVault {
  let found: KnownVault | null = null;
  inspectDatabase(databasePath, (db) => {
    found = identifyVault(db);
  });
  if (found === null) throw new RequestError('busy', `${databasePath} is being written; try again`);
  return found;
}
