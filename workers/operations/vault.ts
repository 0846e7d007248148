/** The vault's own state: its description, its status, unsealing and sealing. Holds a passphrase until it has been tried. */
import type { Handler, Outcome } from '../calls.ts';
import { findKeptSeconds } from '../entries/history.ts';
import { RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import { nowSeconds } from '../json/times.ts';
import { findDamageCode } from '../store/unusable.ts';
import { loadPrincipals } from '../tokens/principals.ts';
import type { ReadableVault, Vault } from '../vault.ts';

const SECONDS_PER_DAY = 86_400;

export const getInfo: Handler<ReadableVault> = (vault, _call, reply) => {
  reply.ascii('{"dir":');
  reply.string(vault.directory);
  reply.ascii(',"db_path":');
  reply.string(vault.databasePath);
  reply.ascii(',"db_size_bytes":');
  reply.integer(vault.vault.databaseSize());
  reply.ascii(',"secret_count":');
  reply.integer(vault.secrets.count());
  const { versions, bytes } = vault.vault.measureHistory();
  const counts = {
    due_count: vault.secrets.countDue(nowSeconds()),
    deleted_count: vault.history.countDeleted(),
    version_count: versions,
    history_bytes: bytes,
    keep_versions: Math.max(vault.historyLimits.keptVersions, 1),
    keep_deleted_days: findKeptSeconds(vault.historyLimits) / SECONDS_PER_DAY,
  };
  reply.raw(`,${JSON.stringify(counts).slice(1)}`);
};

/** Writes `{"sealed", "vault_id", "key_stores", "key_file", "kek_generation"}`. Needs no key. */
export async function reportStatus(vault: Vault, reply: ReplyBuffer): Promise<void> {
  const isSealed = await vault.isSealed();
  const { vault: rows, transactions } = vault.currentStores;
  const { vaultId, slots, keks } = transactions.snapshot(() => {
    vault.checkStillKnown();
    return { vaultId: rows.getVaultId(), slots: rows.listSlots(), keks: rows.listKeks() };
  });
  reply.ascii(`{"sealed":${isSealed},"vault_id":`);
  reply.string(vaultId.toString('hex'));
  reply.ascii(`,"key_stores":${JSON.stringify(slots.map((slot) => slot.kind))},"key_file":`);
  const keyFile = slots.find((slot) => slot.kind === 'file')?.location ?? null;
  if (keyFile === null) reply.ascii('null');
  else reply.string(keyFile);
  reply.ascii(',"kek_generation":');
  reply.integer(keks.at(-1)?.generation ?? 0);
  reply.ascii('}');
}

/** Unseals the vault in every thread and returns all principals. Throws SealedError. */
export async function unseal(
  vault: Vault,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<Outcome> {
  await unsealWhole(vault, passphrase);
  return describeUnsealed(vault, reply);
}

/**
 * As unseal, for a vault that nobody sealed: takes the keyring from a thread that still has it, and asks the key slots only
 * if no thread has it. Throws SealedError if somebody sealed the vault meanwhile.
 */
export async function resume(vault: Vault, reply: ReplyBuffer): Promise<Outcome> {
  if (await vault.isLost()) await unsealWhole(vault, null);
  return describeUnsealed(vault, reply);
}

function describeUnsealed(vault: Vault, reply: ReplyBuffer): Outcome {
  const { rows, forged, damage } = loadReadablePrincipals(vault);
  writeStatus('unsealed', {}, reply);
  return {
    principals: { kind: 'replace-all', rows },
    ...(forged.length > 0 ? { warning: `token rows that fail verification: ${forged.join(', ')}` } : {}),
    ...(damage === undefined ? {} : { damage }),
  };
}

async function unsealWhole(vault: Vault, passphrase: Uint8Array | null): Promise<void> {
  try {
    await vault.unseal(passphrase);
  } catch (error) {
    const damage = findDamageCode(error);
    if (damage === null) throw error;
    vault.markDamaged();
    const { databasePath } = vault.options;
    throw new SealedError('unusable', `${databasePath} is damaged (${damage}); restore it from a backup`);
  }
}

/** If the tokens are damaged, returns none: the owner must still reach the secrets, and the command line needs no token. */
function loadReadablePrincipals(vault: Vault): ReturnType<typeof loadPrincipals> & Pick<Outcome, 'damage'> {
  const open = vault.getOpenVaultNow();
  try {
    return vault.stores.transactions.snapshot(() => loadPrincipals(open));
  } catch (error) {
    const damage = findDamageCode(error);
    if (damage === null) throw error;
    return { rows: [], forged: [], damage };
  }
}

/**
 * Drops the keyring in every thread; no token is known until the next unsealing. Throws RequestError busy if a thread has
 * not let go of it in time.
 */
export async function seal(vault: Vault, reply: ReplyBuffer): Promise<Outcome> {
  if (!(await vault.sealEverywhere()))
    throw new RequestError('busy', 'a long request keeps a thread from letting go of the keys');
  writeStatus('sealed', {}, reply);
  return { principals: { kind: 'replace-all', rows: [] } };
}
