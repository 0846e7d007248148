/**
 * Rotates the KEK: a new generation wraps every DEK again and signs every token row again. Slots and values do not change.
 * Holds the root key until the new KEK is wrapped, and each DEK while it is wrapped again; all are zeroed.
 */

import type { Outcome } from '../calls.ts';
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, type Place, secretPlace } from '../entries/places.ts';
import { type EncryptedHead, rewrapDek, rewrapRow } from '../entries/row-crypto.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import type { RootKey } from '../envelope/keys.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { nowSeconds } from '../json/times.ts';
import { type Keyring, mintKek } from '../keys/keyring.ts';
import { openKeyring } from '../keys/unseal.ts';
import type { SecretRow } from '../store/columns.ts';
import { isGenuine, signTokenRow } from '../tokens/token-macs.ts';
import type { Vault, WritableVault } from '../vault.ts';

/** One for all requests, because there is one writer thread. */
let isRotating = false;

/**
 * Rotates in three steps. The new KEK is stored. Every thread gets a keyring with the new KEK and the old ones, so that no
 * thread meets a row that it cannot decrypt. One transaction wraps every row again and deletes the old KEKs. A failure
 * between the steps leaves a vault with two generations, which works as well as one with one.
 */
export async function rotateKek(
  vault: Vault,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<Outcome> {
  // Of two rotations at once, each would delete the KEK that the other one wraps with.
  if (isRotating)
    throw new RequestError('conflict', 'the vault is being rotated already; wait until that is done');
  isRotating = true;
  try {
    return await rotateNow(vault, passphrase, reply);
  } finally {
    isRotating = false;
  }
}

async function rotateNow(vault: Vault, passphrase: Uint8Array | null, reply: ReplyBuffer): Promise<Outcome> {
  const rootKey = await vault.readRootKey(passphrase);
  await vault.publish(await addGeneration(vault, rootKey));
  // Asks again, because the vault may have been sealed meanwhile, or sealed and unsealed with the new KEK.
  const open = vault.getOpenVaultNow();
  const { generation } = open.keyring.current;
  vault.stores.transactions.write(() => rewrapEverything(open, open.keyring));
  await vault.publish(open.keyring.pick((head) => head.generation === generation));
  reply.ascii('{"status":"rotated","kek_generation":');
  reply.integer(generation);
  reply.ascii('}');
  return {};
}

/**
 * Stores a new KEK, and returns a keyring of the old generations and the new one. Zeroes the root key. If the key store no
 * longer holds the root key of this vault, unwrapping the old KEKs fails, and the new KEK is not stored.
 */
async function addGeneration(vault: Vault, rootKey: RootKey): Promise<Keyring> {
  try {
    const { vault: rows, keyring } = await vault.getOpenVault();
    return vault.stores.transactions.write(() => {
      // Not from the keyring, which lacks the newest KEK if the last rotation failed between its steps.
      const newest = Math.max(...rows.listKeks().map(({ generation }) => generation));
      rows.insertKek(mintKek(rootKey, keyring.vaultId, newest + 1, nowSeconds()));
      return openKeyring(rootKey, keyring.vaultId, rows.listKeks());
    });
  } finally {
    rootKey.fill(0);
  }
}

function rewrapEverything(vault: WritableVault, keyring: Keyring): void {
  rewrapSecrets(vault, keyring);
  for (const id of vault.history.listIds()) rewrapHistory(vault, keyring, id);
  resignTokens(vault, keyring);
  for (const kek of vault.vault.listKeks()) {
    if (kek.generation !== keyring.current.generation) vault.vault.deleteKek(kek.id);
  }
}

function rewrapSecrets(vault: WritableVault, keyring: Keyring): void {
  // Collected first, because no write is allowed while a statement of the same connection still reads.
  const summaries = [...vault.secrets.list({})];
  vault.countSteps('writing', summaries.length, (step) => {
    for (const { name, environment } of summaries) {
      const row = vault.secrets.find({ name, environment });
      if (row === null) throw new IntegrityError();
      rewrapSecret(vault, keyring, row);
      step();
    }
  });
}

function rewrapSecret(vault: WritableVault, keyring: Keyring, row: SecretRow): void {
  const bound = { ...row, fields: vault.secrets.listFieldHeads(row.id) };
  vault.writer.put({ ...row, ...rewrapRow(keyring, secretPlace(row), bound, bound) }, false);
  for (const field of vault.secrets.listFields(row.id)) {
    const stored = asBoundField(field);
    const { wrappedDek } = rewrapRow(keyring, fieldPlace(row, field.field), stored, stored);
    vault.writer.putField({ ...field, secretId: row.id, wrappedDek });
  }
}

/** Old versions that were changed without the key stay as they are: nobody needs them to read or write anything else. */
function rewrapHistory(vault: WritableVault, keyring: Keyring, secretId: number): void {
  const { history, historyWriter } = vault;
  for (const row of history.list(secretId)) {
    const bound = { ...row, fields: history.readFieldsAt(row).listFieldHeads(secretId) };
    for (const field of history.listOldFields(secretId, row.revision + 1)) {
      const wrappedDek = tryRewrap(keyring, fieldPlace(row, field.field), asBoundField(field));
      if (wrappedDek !== null) historyWriter.rewrapField(secretId, row.revision + 1, field.field, wrappedDek);
    }
    const wrappedDek = tryRewrap(keyring, secretPlace(row), bound);
    if (wrappedDek !== null) historyWriter.rewrap(secretId, row.revision, wrappedDek);
  }
}

function tryRewrap(keyring: Keyring, place: Place, row: BoundRow & EncryptedHead): Uint8Array | null {
  try {
    return rewrapDek(keyring, place, row, row);
  } catch (error) {
    if (error instanceof IntegrityError) return null;
    throw error;
  }
}

/** A row that fails verification keeps its MAC, because a rotation must not make it genuine. */
function resignTokens(vault: WritableVault, keyring: Keyring): void {
  for (const row of vault.tokens.list().filter((token) => isGenuine(keyring, token))) {
    const { kekId, mac } = signTokenRow(keyring, row);
    vault.tokens.updateMac(row.id, kekId, mac);
  }
}
