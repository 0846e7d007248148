/** The vault's own state: its description, its status, unsealing and sealing. Holds a passphrase until it has been tried. */
import type { Handler, Outcome } from '../calls.ts';
import { findKeptSeconds } from '../entries/history.ts';
import { RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { writeStatus } from '../json/status.ts';
import { formatTime, nowSeconds } from '../json/times.ts';
import type { ReadableVault } from '../open-vault.ts';
import type { RotationStore } from '../store/rotation.ts';
import { findDamageCode } from '../store/unusable.ts';
import { loadPrincipals } from '../tokens/principals.ts';
import type { GivenSecrets, Vault } from '../vault.ts';
import { explainWrongCode } from './wrong-code.ts';

const SECONDS_PER_DAY = 86_400;
const MAX_WRAPS = 2 ** 40;

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
  reply.raw(`,${JSON.stringify({ ...counts, rotation: describeRotation(vault.rotation) }).slice(1)}`);
};

/** Returns how far a rotation is; null if there is none. */
function describeRotation(rotation: RotationStore): object | null {
  const row = rotation.find();
  if (row === null) return null;
  const { generation, reencrypts, done, total, startedAt } = row;
  return {
    kek_generation: generation,
    reencrypt: reencrypts === 1,
    done,
    total,
    started_at: formatTime(startedAt),
  };
}

/** Writes what no key is needed for. */
export async function reportStatus(vault: Vault, reply: ReplyBuffer): Promise<void> {
  const isSealed = await vault.isSealed();
  const { vault: rows, rotation: rotations, transactions } = vault.currentStores;
  const { vaultId, slots, keks, rotation } = transactions.snapshot(() => {
    vault.checkStillKnown();
    const [keks, rotation] = [rows.listKeks(), describeRotation(rotations)];
    return { vaultId: rows.getVaultId(), slots: rows.listSlots(), keks, rotation };
  });
  reply.ascii(`{"sealed":${isSealed},"vault_id":`);
  reply.string(vaultId.toString('hex'));
  reply.ascii(`,"key_stores":${JSON.stringify([...new Set(slots.map((slot) => slot.kind))])},"key_file":`);
  const keyFile = slots.find((slot) => slot.kind === 'file')?.location ?? null;
  if (keyFile === null) reply.ascii('null');
  else reply.string(keyFile);
  const ofKeks = {
    kek_generation: keks.at(-1)?.generation ?? 0,
    kek_wraps: keks.at(-1)?.wraps ?? 0,
    old_kek_generations: keks.slice(0, -1).map(({ generation }) => generation),
    rotation,
  };
  reply.raw(`,${JSON.stringify(ofKeks).slice(1)}`);
}

/** Unseals the vault in every thread and returns all principals. Zeroes what is given. Throws SealedError and BodyError. */
export async function unseal(vault: Vault, given: GivenSecrets, reply: ReplyBuffer): Promise<Outcome> {
  try {
    return describeUnsealed(vault, reply, await unsealWhole(vault, given));
  } finally {
    given.recoveryCode?.fill(0);
  }
}

/**
 * As unseal, for a vault that nobody sealed: takes the keyring from a thread that still has it, and asks the key slots only
 * if no thread has it. Throws SealedError if somebody sealed the vault meanwhile.
 */
export async function resume(vault: Vault, reply: ReplyBuffer): Promise<Outcome> {
  const forged = (await vault.isLost()) ? await unsealWhole(vault, {}) : [];
  return describeUnsealed(vault, reply, forged);
}

function describeUnsealed(vault: Vault, reply: ReplyBuffer, slots: readonly string[]): Outcome {
  const outcome = reportUnsealed(vault, slots);
  writeStatus('unsealed', {}, reply);
  return outcome;
}

/** Returns all principals, and warnings. `slots`: the ids of those that fail verification. */
export function reportUnsealed(vault: Vault, slots: readonly string[]): Outcome {
  const { rows, forged, damage } = loadReadablePrincipals(vault);
  const warnings = [
    ...(forged.length > 0 ? [`token rows that fail verification: ${forged.join(', ')}`] : []),
    ...(slots.length > 0 ? [`key slots that somebody without the key changed: ${slots.join(', ')}`] : []),
    ...(damage === undefined && isKekWorn(vault)
      ? ['the key has wrapped 2^40 keys; run: mav key rotate']
      : []),
  ];
  return {
    principals: { kind: 'replace-all', rows },
    ...(warnings.length > 0 ? { warning: warnings.join('; ') } : {}),
    ...(damage === undefined ? {} : { damage }),
  };
}

/** Whether it is time for another KEK. Long before, no nonce repeats, but nothing is to be wrapped without end. */
function isKekWorn(vault: Vault): boolean {
  return (vault.stores.vault.listKeks().at(-1)?.wraps ?? 0) >= MAX_WRAPS;
}

async function unsealWhole(vault: Vault, given: GivenSecrets): Promise<string[]> {
  try {
    const opening = vault.unseal(given);
    return await (given.recoveryCode == null ? opening : explainWrongCode(opening));
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
