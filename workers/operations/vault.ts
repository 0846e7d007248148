/** The vault's own state: what it says of itself, unsealing, sealing. Holds a passphrase until it has been tried. */
import type { Handler, Outcome } from '../calls.ts';
import { SealedError } from '../keys/sealed.ts';
import type { ReplyBuffer } from '../reply.ts';
import { findDamageCode } from '../store/unusable.ts';
import type { ReadableVault, Vault } from '../vault.ts';
import { writeStatus } from './secrets.ts';
import { loadPrincipals } from './tokens.ts';

export const describeVault: Handler<ReadableVault> = (vault, _call, reply) => {
  reply.ascii('{"dir":');
  reply.string(vault.directory);
  reply.ascii(',"db_path":');
  reply.string(vault.databasePath);
  reply.ascii(',"db_size_bytes":');
  reply.integer(vault.vault.databaseSize());
  reply.ascii(',"secret_count":');
  reply.integer(vault.secrets.count());
  reply.ascii('}');
};

/** `{"sealed", "vault_id", "key_stores", "key_file", "kek_generation"}`; needs no key. */
export function reportStatus(vault: Vault, reply: ReplyBuffer): void {
  const { vault: rows } = vault.stores;
  reply.ascii(`{"sealed":${vault.isSealed},"vault_id":`);
  reply.string(rows.getVaultId().toString('hex'));
  const slots = rows.listSlots();
  reply.ascii(`,"key_stores":${JSON.stringify(slots.map((slot) => slot.kind))},"key_file":`);
  const keyFile = slots.find((slot) => slot.kind === 'file')?.location ?? null;
  if (keyFile === null) reply.ascii('null');
  else reply.string(keyFile);
  reply.ascii(',"kek_generation":');
  reply.integer(rows.listKeks().at(-1)?.generation ?? 0);
  reply.ascii('}');
}

/** Unseals, in every thread, and answers with all principals. Throws SealedError with the remedy. */
export async function unseal(
  vault: Vault,
  passphrase: Uint8Array | null,
  reply: ReplyBuffer,
): Promise<Outcome> {
  await unsealWhole(vault, passphrase);
  const { rows, forged, damage } = await loadReadablePrincipals(vault);
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
    throw new SealedError(`${databasePath} is damaged (${damage}); restore it from a backup`);
  }
}

/** Damage to the tokens must not keep their owner from the secrets: the command line needs none of them. */
async function loadReadablePrincipals(
  vault: Vault,
): Promise<ReturnType<typeof loadPrincipals> & Pick<Outcome, 'damage'>> {
  const open = await vault.use();
  try {
    return loadPrincipals(open);
  } catch (error) {
    const damage = findDamageCode(error);
    if (damage === null) throw error;
    return { rows: [], forged: [], damage };
  }
}

/** Drops the keyring in every thread; no token is known until the next unsealing. */
export function seal(vault: Vault, reply: ReplyBuffer): Outcome {
  vault.seal();
  writeStatus('sealed', {}, reply);
  return { principals: { kind: 'replace-all', rows: [] } };
}
