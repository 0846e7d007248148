/**
 * Makes a backup: a copy of the database while it is in use, with a head that says of which vault it is and is signed with the
 * key. Holds the root key and a passphrase only to make a slot for the copy, and zeroes both. No value is decrypted; whoever
 * asked for the backup has its rows opened afterwards (`vault.check`), before it counts.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { computeBackupMac, verifyBackupMac } from '../envelope/backup-mac.ts';
import { RequestError } from '../errors/request-error.ts';
import { createDraft, locateDraft, removeDraft, removeLeftDrafts } from '../files/backup-drafts.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { getKeySlot } from '../keys/slots/registry.ts';
import type { Asker, Call, KnownVault } from '../messages.ts';
import { RowSet } from '../row-set/row-set.ts';
import type { SlotRow } from '../store/columns.ts';
import { copyDatabase, finishCopy } from '../store/copy-database.ts';
import type { Db } from '../store/database.ts';
import type { Vault } from '../vault.ts';
import { createSlotId, signSlot } from './new-slots.ts';
import { changeAlone } from './slot-changes.ts';

const ID_SIZE = 16;
/** Larger than any config.json that can be followed. */
const MAX_CONFIG_SIZE = 65_536;
const FORMAT = 'maestrovault-backup';
const FORMAT_VERSION = 1;
const MS = 1_000;

/** One for all requests, because there is one writer thread, and a disk that could be filled. */
let isMaking = false;

/**
 * Writes `{"status", "id", "file", "head", "mac"}`: the draft at `file` is the database of the backup, and `head` and `mac` are
 * the lines before it. `passphrase`: for a slot that only the copy has; null: no such slot. It is zeroed.
 */
export function makeBackup(
  vault: Vault,
  call: Call,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<undefined> {
  const make = () => copyVault(vault, call, passphrase, reply);
  // Else the vault could have another root key by the time that it is copied, and the slot that of before.
  return passphrase === null ? make() : changeAlone(make).finally(() => passphrase.fill(0));
}

async function copyVault(
  vault: Vault,
  call: Call,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<undefined> {
  if (isMaking) throw new RequestError('conflict', 'a backup is being made already; wait until it is done');
  isMaking = true;
  const { databasePath } = vault.options;
  const id = randomBytes(ID_SIZE).toString('hex');
  const draft = locateDraft(databasePath, id) as string;
  try {
    const slot = passphrase === null ? null : await makeSlot(vault, passphrase);
    const { db } = await vault.getOpenVault();
    removeLeftDrafts(databasePath);
    createDraft(draft, findTaker(call));
    await copyDatabase(db, draft);
    const signed = await signCopy(
      vault,
      draft,
      finishCopy(draft, slot, (copy) => followRows(vault, copy)),
    );
    reply.raw(JSON.stringify({ status: 'made', id, file: draft, ...signed }));
  } catch (error) {
    removeDraft(draft);
    throw error;
  } finally {
    isMaking = false;
  }
}

/** Returns the number of the process that asked for the backup; null if it is not known. */
function findTaker({ asker }: Call): number | null {
  return asker == null ? null : (JSON.parse(asker) as Asker).pid;
}

/** What the copy lacks of the vault's rows is taken out of its sums, so that a row that was changed before stays found. */
function followRows(vault: Vault, copy: Db): RowSet {
  const rowSet = new RowSet(copy);
  rowSet.use(vault.getOpenVaultNow().keyring);
  return rowSet;
}

async function makeSlot(vault: Vault, passphrase: Uint8Array): Promise<SlotRow> {
  const { vault: rows } = vault.currentStores;
  const rootKey = await vault.readRootKey(null);
  try {
    const { keychainTimeoutMs } = vault.options;
    const slot = { id: createSlotId(), kind: 'passphrase', location: null } as const;
    const keys = {
      rootKey,
      vaultId: rows.getVaultId(),
      passphrase,
      passphraseFile: null,
      recoveryCode: null,
      keychainTimeoutMs,
    };
    const { blob } = await getKeySlot(slot.kind).create({ ...slot, ...keys, folder: vault.folder });
    return signSlot(rootKey, keys.vaultId, { ...slot, blob });
  } finally {
    rootKey.fill(0);
  }
}

/** Throws SealedError if the vault was sealed meanwhile. */
async function signCopy(
  vault: Vault,
  draft: string,
  found: KnownVault,
): Promise<{ readonly head: string; readonly mac: string }> {
  const sha256 = await hashFile(draft);
  const { keyring } = vault.getOpenVaultNow();
  const { id: kekId, kek } = keyring.current;
  const head = JSON.stringify({
    ...{ format: FORMAT, version: FORMAT_VERSION, made_at: formatSeconds(new Date()), vault: found },
    ...{ kek_id: Buffer.from(kekId).toString('hex'), config: readConfig(dirname(draft)) },
    ...{ bytes: statSync(draft).size, sha256 },
  });
  return { head, mac: computeBackupMac(kek, keyring.vaultId, Buffer.from(head)).toString('hex') };
}

function formatSeconds(time: Date): string {
  return new Date(Math.floor(time.getTime() / MS) * MS).toISOString().replace('.000', '');
}

/** In pieces, because the thread has other calls to answer. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

/** Returns the text of config.json; null if there is none. */
function readConfig(folder: string): string | null {
  const path = join(folder, 'config.json');
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size <= MAX_CONFIG_SIZE ? readFileSync(path, 'utf8') : null;
}

/** Parameters: `head` and `mac`, the lines of a backup. Writes `{"genuine"}`: whether a key of this vault signed it. */
export async function confirmBackup(vault: Vault, { params }: Call, reply: ReplyBuffer): Promise<undefined> {
  const { head = '', mac = '' } = params;
  const { keyring } = await vault.getOpenVault();
  const entry = keyring.find(Buffer.from(readKekId(head), 'hex'));
  const isGenuine =
    entry !== null && verifyBackupMac(entry.kek, keyring.vaultId, Buffer.from(head), Buffer.from(mac, 'hex'));
  reply.raw(JSON.stringify({ genuine: isGenuine }));
}

function readKekId(head: string): string {
  const { kek_id: id } = JSON.parse(head) as { readonly kek_id?: unknown };
  return typeof id === 'string' ? id : '';
}
