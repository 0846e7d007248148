/** `mav destroy`: the vault, its key and everything in it, for ever. */
import { join } from 'node:path';
import { escapeControls } from '../../text/escape-controls.ts';
import { isAside } from '../backup/replace-vault.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken, withVault } from '../vault/access.ts';
import { findKeyStore } from '../vault/key-stores.ts';
import { removeRemains } from '../vault/remains.ts';
import { reportVault, type VaultReport } from '../vault/vault-report.ts';

const WORD = 'destroy';

export const run: Run = async (input) => {
  const { context } = input;
  refuseToken(input, 'destroy the vault');
  const report = await reportVault(input);
  if (report.sealed === null) throw new CliError(EXIT.failed, report.reason ?? '');
  // Another vault than the known one: it is not this program's to delete.
  if (report.vault_id === null) throw new CliError(EXIT.sealed, report.reason ?? '');
  context.say(describeLoss(report));
  await confirm(input, 'Delete all of this for ever?', WORD);
  const { key_stores: removed } = await withVault(
    input,
    (client) => client.destroy({ force: input.flag('even-if-key-stays') }),
    { mayBeSealed: true },
  );
  const { kept, leftovers } = await removeRemains(input, report.folder ?? input.home.directory);
  const stays = report.key_stores?.filter((kind) => !removed.includes(kind)) ?? [];
  context.say('The vault is destroyed.');
  if (stays.length > 0)
    context.complain(`mav: its key stays in: ${stays.map((kind) => describeKey(kind, report)).join(', ')}`);
  if (leftovers !== null) context.complain(`mav: ${leftovers}`);
  tellKept(input, kept, report.folder ?? '');
  return EXIT.done;
};

function tellKept({ context }: Input, kept: readonly string[], folder: string): void {
  for (const name of kept.filter(isAside))
    context.complain(
      escapeControls(
        `mav: a vault that a restore replaced stays in ${join(folder, name)}, and opens with the passphrase or recovery code ` +
          'that it had; remove that folder if you do not need it',
      ),
    );
  if (kept.length > 0) context.say(`Kept in ${folder}: ${kept.map(escapeControls).join(', ')}`);
}

function describeLoss(report: VaultReport): string {
  const { secret_count: count, key_stores: stores, database } = report;
  const secrets = count === null ? 'secrets (sealed, so how many is not known)' : describeCount(count);
  return [
    'This will be deleted:',
    `  the vault ${database} with ${secrets} and all tokens`,
    ...(stores ?? []).map((kind) => `  ${describeKey(kind, report)}`),
    ...(report.daemon === 'running' ? ['Its daemon will end.'] : []),
  ].join('\n');
}

function describeCount(count: number): string {
  return count === 1 ? '1 secret' : `${count} secrets`;
}

function describeKey(kind: string, { vault_id: id, key_file: file }: VaultReport): string {
  return escapeControls(findKeyStore(kind)?.describeKey({ id, file }) ?? `its key in ${kind}`);
}
