/** `mav restore FILE`: puts a backup in the place of the vault, or brings single secrets back from it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { KnownVault } from '../../../workers/messages.ts';
import type { ImportResult } from '../../client/types.ts';
import { hasVault, secureHome } from '../../places/home.ts';
import { findKnownVault } from '../../places/known-vaults.ts';
import { formatTime } from '../../text/format-time.ts';
import { readEntries } from '../backup/bring-back.ts';
import { type OpenedBackup, withOpenedBackup } from '../backup/open-unpacked.ts';
import { replaceVault } from '../backup/replace-vault.ts';
import { type Unpacked, withUnpacked } from '../backup/unpack.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, type ExitCode, isCliError, usageError } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { writePrivateFile } from '../transfer/output-file.ts';
import { refuseToken, withVault } from '../vault/access.ts';
import { adoptFound, inspectFound, withOwnership } from '../vault/adoption.ts';
import { printReport } from '../vault/check-report.ts';
import { describeVault } from '../vault/known-report.ts';

const WORD = 'restore';

export const run: Run = async (input) => {
  refuseToken(input, 'restore a backup');
  const names = input
    .list('only')
    .flatMap((given) => given.split(','))
    .filter((name) => name !== '');
  if (names.length === 0 && input.text('env') !== undefined) throw usageError('--env goes with --only');
  const path = input.args[0] ?? '';
  if (!existsSync(path))
    throw new CliError(
      EXIT.notFound,
      `there is no file ${path}; mav undelete NAME brings back a deleted secret, mav rollback NAME what was replaced`,
    );
  if (names.length > 0)
    return withUnpacked(input.home, path, (unpacked) => bringBack(input, unpacked, names));
  if (input.flag('dry-run')) {
    await withUnpacked(input.home, path, (unpacked) => verify(input, unpacked));
    return EXIT.done;
  }
  secureHome(input.home);
  return withOwnership(input, 'restore', () =>
    withUnpacked(input.home, path, async (unpacked) => {
      const isByCode = await verify(input, unpacked);
      await restore(input, unpacked);
      if (isByCode)
        input.context.say(
          'It opens with its recovery code only. To give it a key on this machine: mav recover',
        );
      return EXIT.done;
    }),
  );
};

/**
 * Opens every row of the backup, and shows what there is. Returns whether it was opened by its recovery code. Throws CliError if
 * it must not be restored.
 */
function verify(input: Input, unpacked: Unpacked): Promise<boolean> {
  return withOpenedBackup(input, unpacked, async ({ report, isGenuine, isByCode }) => {
    const { path, head } = unpacked;
    await printReport(input, report);
    if (!isGenuine) throw explainChanged(path);
    if (report.damaged.length > 0 && !input.flag('even-if-damaged'))
      throw new CliError(
        EXIT.failed,
        `${path} has damaged rows, which the vault had, too, when it was made; --even-if-damaged restores it as it is`,
      );
    if (input.flag('dry-run'))
      input.context.say(`${path} is the vault of ${formatTime(head.made_at)}, whole; nothing was changed.`);
    return isByCode;
  });
}

function explainChanged(path: string): CliError {
  return new CliError(
    EXIT.failed,
    `${path} is not what was backed up: it is damaged, or was changed by somebody without the key; nothing was changed; ` +
      'restore another backup, or bring back what still opens: mav restore FILE --only NAME',
  );
}

async function restore(input: Input, { head, folder }: Unpacked): Promise<void> {
  const { context, home } = input;
  const isThere = hasVault(home);
  const known = findKnownVault(home);
  if (known !== null && known.vault_id !== head.vault.vault_id)
    context.complain(
      `Known here is another one: ${describeVault(known)}. The backup is of ${describeVault(head.vault)}.`,
    );
  if (isThere)
    await confirm(
      input,
      `Replace the vault at ${home.databasePath} by that of ${formatTime(head.made_at)}?`,
      WORD,
    );
  if (isThere && known !== null) await forgetSeen(input, known);
  const aside = replaceVault(home, folder);
  const { found, difference } = await inspectFound(input, known);
  // Always: what was seen of the vault that it replaced no longer counts.
  await adoptFound(input, known, found);
  restoreConfig(input, head.config);
  context.say(`Restored the vault of ${formatTime(head.made_at)}.`);
  if (known !== null && difference !== null) context.say(`It is ${describeVault(found)}.`);
  if (aside === null) return;
  context.say(
    `The vault that it replaced is in ${aside}, with its audit log; remove it once you do not need it.`,
  );
  context.say('Tokens are as they were then: one that was revoked since is valid again. See mav token list.');
}

/**
 * Forgets how far the vault was seen before an older one takes its place: if this program is killed just then, the older one opens
 * without mav accept-restore. A vault that is not the known one, or is damaged, stays as it is known.
 */
async function forgetSeen(input: Input, known: KnownVault): Promise<void> {
  try {
    const { found, difference } = await inspectFound(input, known);
    if (difference === null) await adoptFound(input, known, found);
  } catch (error) {
    if (!isCliError(error)) throw error;
  }
}

/** Settings that are there are of today, and stay. */
function restoreConfig({ context, home }: Input, config: string | null): void {
  const path = join(home.directory, 'config.json');
  if (config === null || existsSync(path)) return;
  writePrivateFile(path, Buffer.from(config));
  context.say(`Restored ${path}.`);
}

/** A backup that is damaged elsewhere still has what opens: each entry is verified by itself. */
async function bringBack(input: Input, unpacked: Unpacked, names: readonly string[]): Promise<ExitCode> {
  const body = await withOpenedBackup(input, unpacked, ({ client }: OpenedBackup) =>
    readEntries(input, client, names),
  );
  try {
    const result = await withVault(input, async (client): Promise<ImportResult> => {
      const params = { dry_run: input.flag('dry-run') };
      const incoming = await client.request('secrets.import', { params, body });
      return JSON.parse(Buffer.from(incoming.body).toString());
    });
    tellBroughtBack(input, result, unpacked);
    return EXIT.done;
  } finally {
    body.fill(0);
  }
}

function tellBroughtBack(
  { context }: Input,
  { added, changed, unchanged, dry_run: isDry }: ImportResult,
  { head }: Unpacked,
) {
  const of = `as of ${formatTime(head.made_at)}`;
  const parts = [
    ...(added.length === 0 ? [] : [`${added.length} new`]),
    ...(changed.length === 0
      ? []
      : [`${changed.length} as new versions (mav history NAME, mav rollback NAME)`]),
    ...(unchanged.length === 0 ? [] : [`${unchanged.length} unchanged`]),
  ];
  context.say(`${isDry ? 'Would bring back' : 'Brought back'} ${of}: ${parts.join(', ')}.`);
}
