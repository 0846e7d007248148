/**
 * Taking a vault for the user's own: what it is, told without a key, and writing that into the list of known vaults. Only
 * a short command asks for either; no request to a daemon can. Holds no secret.
 */
import { dirname } from 'node:path';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import type { Call, KnownVault, WorkerOptions } from '../messages.ts';
import { findDifference } from '../store/check-known.ts';
import { inspectDatabase } from '../store/database.ts';
import { KnownVaultsError, recordVault } from '../store/known-vaults.ts';
import { identifyVault } from '../store/vault.ts';

/** `{"found": KnownVault, "difference"}`; the difference is in words, and null where nothing differs or nothing is known. */
export function inspectVault({ databasePath, known }: WorkerOptions, reply: ReplyBuffer): undefined {
  const found = identify(databasePath);
  const difference = known === null ? null : findDifference(known, found);
  reply.raw(JSON.stringify({ found, difference }));
}

/** Parameter `found`: what the user was shown, as `inspectVault` answered it. Throws RequestError if it is not that by now. */
export function adoptVault(
  { databasePath, knownVaultsPath }: WorkerOptions,
  { params }: Call,
  reply: ReplyBuffer,
): undefined {
  const found = identify(databasePath);
  if (JSON.stringify(found) !== params.found)
    throw new RequestError('conflict', `${databasePath} was exchanged meanwhile; nothing was done`);
  try {
    recordVault(knownVaultsPath, dirname(databasePath), found);
  } catch (error) {
    throw error instanceof KnownVaultsError ? new RequestError('conflict', error.message) : error;
  }
  writeStatus('adopted', {}, reply);
}

function identify(databasePath: string): KnownVault {
  let found: KnownVault | null = null;
  inspectDatabase(databasePath, (db) => {
    found = identifyVault(db);
  });
  if (found === null) throw new RequestError('busy', `${databasePath} is being written; try again`);
  return found;
}
