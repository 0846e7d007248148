/** `mav backup FILE|DIR`: a copy of the whole vault, made while it is in use, every row of which was opened. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../client/client.ts';
import type { BackupDraft } from '../../client/types.ts';
import { type BackupHead, parseHead } from '../backup/backup-head.ts';
import { type BackupTarget, chooseTarget, nameBackup } from '../backup/backup-target.ts';
import { removeOldBackups } from '../backup/old-backups.ts';
import { writeBackup } from '../backup/write-backup.ts';
import { formatSize } from '../formats/sizes.ts';
import { chooseNewPassphrase } from '../input/new-passphrase.ts';
import { readWhole } from '../input/numbers.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { Progress } from '../terminal/progress.ts';
import { refuseToken, withVault } from '../vault/access.ts';
import { describeDamaged } from '../vault/check-report.ts';
import { type CheckReport, checkVault } from '../vault/check-vault.ts';

const MAX_KEPT = 10_000;

interface Backup {
  readonly path: string;
  readonly head: BackupHead;
  readonly report: CheckReport;
}

export const run: Run = async (input) => {
  const { context, args, home, flag, text } = input;
  refuseToken(input, 'make a backup');
  const target = chooseTarget(args[0] ?? '', home, flag('force'));
  const kept = readWhole(input, 'keep', 1, MAX_KEPT);
  if (kept !== undefined && target.name !== null)
    throw usageError('--keep goes with a folder, in which mav names the backups');
  if (text('new-passphrase-file') !== undefined && !flag('passphrase'))
    throw usageError('--new-passphrase-file goes with --passphrase');
  const passphrase = flag('passphrase') ? await chooseNewPassphrase(input, 'passphrase') : undefined;
  const backup = await withVault(input, (client) => makeBackup(input, client, target, passphrase));
  const { path, head, report } = backup;
  const { damaged, rows } = report;
  context.print(path);
  context.say(
    `Backed up ${countOf(rows.secrets)} (${formatSize(statSync(path).size)}); every row was opened.`,
  );
  if (damaged.length > 0) throw explainDamaged(input, backup);
  const old = kept === undefined ? [] : removeOldBackups(target.folder, head.vault.vault_id, kept);
  for (const removed of old) context.say(`Removed ${removed}`);
  return EXIT.done;
};

function countOf(secrets: number): string {
  return secrets === 1 ? '1 secret' : `${secrets} secrets`;
}

async function makeBackup(
  input: Input,
  client: Client,
  target: BackupTarget,
  passphrase: unknown,
): Promise<Backup> {
  const progress = new Progress(input);
  let draft: BackupDraft | null = null;
  try {
    progress.showElapsed('Copying the vault');
    draft = await client.makeBackup(passphrase);
    const head = parseHead(draft.file, draft.head);
    if (head === null) throw new CliError(EXIT.failed, 'the daemon is of another version; restart it');
    const show = (done: number) => progress.show(`Opening every row of the copy: ${done}`);
    const report = await checkVault(client, show, draft.id);
    const path = join(target.folder, target.name ?? nameBackup(head, draft.id));
    writeBackup(path, draft, head);
    return { path, head, report };
  } finally {
    progress.end();
    if (draft !== null) rmSync(draft.file, { force: true });
  }
}

/** What is damaged in the vault is so in its backup. It is kept, because the rest opens, and no older one is removed. */
function explainDamaged({ context }: Input, { report }: Backup): CliError {
  const { damaged } = report;
  for (const row of damaged) context.complain(`mav: ${describeDamaged(row)}`);
  const rows = damaged.length === 1 ? '1 row of the backup is' : `${damaged.length} rows of the backup are`;
  return new CliError(
    EXIT.failed,
    `${rows} damaged, as in the vault; no older backup was removed; see mav verify`,
  );
}
