/**
 * Rotating the KEK: a new generation wraps every DEK and signs every token row anew; slots and values stay as they
 * are. Holds the root key until the new KEK is wrapped, and each DEK while it is wrapped anew; all are zeroed.
 */

import type { Outcome } from '../calls.ts';
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, secretPlace } from '../entries/places.ts';
import { rewrapRow } from '../entries/row-crypto.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import type { RootKey } from '../envelope/keys.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { nowSeconds } from '../json/times.ts';
import { Keyring, mintKek } from '../keys/keyring.ts';
import { openKeyring } from '../keys/unseal.ts';
import type { SecretRow } from '../store/columns.ts';
import { isGenuine, signTokenRow } from '../tokens/token-macs.ts';
import type { Vault, WritableVault } from '../vault.ts';

/** There is one writer thread, and this is its. */
let isRotating = false;

/**
 * In three steps, each complete in itself: the new KEK is stored; every thread gets a keyring with it beside the old
 * ones, so that none meets a row that it cannot open; then one transaction wraps every row anew and deletes the old
 * KEKs. A failure in between leaves a vault with two generations, which is as good as one with one.
 */
export async function rotateKek(
  vault: Vault,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<Outcome> {
  // Two at once would each delete the KEK that the other one wraps with.
  if (isRotating)
    throw new RequestError('conflict', 'the vault is being rotated already; wait until that is done');
  isRotating = true;
  try {
    return await rotateAlone(vault, passphrase, reply);
  } finally {
    isRotating = false;
  }
}

async function rotateAlone(
  vault: Vault,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<Outcome> {
  const rootKey = await vault.readRootKey(passphrase);
  await vault.publish(await addGeneration(vault, rootKey));
  // What holds now decides: the vault may have been sealed meanwhile, or unsealed again, with the new KEK too.
  const open = vault.useNow();
  const { generation } = open.keyring.current;
  vault.stores.transactions.write(() => rewrapEverything(open, open.keyring));
  const keks = open.keyring.share().keks.filter((kek) => kek.generation === generation);
  await vault.publish(new Keyring({ ...open.keyring.share(), keks }));
  reply.ascii('{"status":"rotated","kek_generation":');
  reply.integer(generation);
  reply.ascii('}');
  return {};
}

/**
 * Stores a new KEK; answers a keyring of the old generations and the new one. Zeroes the root key. The key store may
 * hold another root key by now than the one that unsealed the vault: then opening the old KEKs fails, and the new one,
 * which only that other key would open, is not kept.
 */
async function addGeneration(vault: Vault, rootKey: RootKey): Promise<Keyring> {
  try {
    const { vault: rows, keyring } = await vault.use();
    return vault.stores.transactions.write(() => {
      // Not the keyring's: the last rotation may have ended between its steps.
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
  resignTokens(vault, keyring);
  for (const kek of vault.vault.listKeks()) {
    if (kek.generation !== keyring.current.generation) vault.vault.deleteKek(kek.id);
  }
}

function rewrapSecrets(vault: WritableVault, keyring: Keyring): void {
  // Collected first: a statement that is still reading forbids writes on the same connection.
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
  vault.writer.put({ ...row, ...rewrapRow(keyring, secretPlace(row), bound, bound) });
  for (const field of vault.secrets.listFields(row.id)) {
    const stored = asBoundField(field);
    const { wrappedDek } = rewrapRow(keyring, fieldPlace(row, field.field), stored, stored);
    vault.writer.putField({ ...field, secretId: row.id, wrappedDek });
  }
}

/** A row that fails verification keeps its MAC: it must not become genuine by a rotation. */
function resignTokens(vault: WritableVault, keyring: Keyring): void {
  for (const row of vault.tokens.list().filter((token) => isGenuine(keyring, token))) {
    const { kekId, mac } = signTokenRow(keyring, row);
    vault.tokens.updateMac(row.id, kekId, mac);
  }
}
