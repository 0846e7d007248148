/**
 * `mav status`: whether the vault is served, whether it can be used, read and written, and where everything is. Never
 * asks anybody.
 */

import { escapeControls } from '../../text/escape-controls.ts';
import { formatTime } from '../../text/format-time.ts';
import { nameVault } from '../../text/name-vault.ts';
import { formatSize } from '../formats/sizes.ts';
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { describeChanged } from '../vault/describe-changed.ts';
import { isWorn, reportVault, type VaultReport } from '../vault/vault-report.ts';

const EXIT_OF = {
  unsealed: EXIT.done,
  sealed: EXIT.sealed,
  'no vault': EXIT.failed,
  'not answering': EXIT.failed,
  'in use': EXIT.failed,
} as const;

export const run: Run = async (input) => {
  const { context, output } = input;
  const report = await reportVault(input);
  if (output === 'json') context.printJson(JSON.stringify(report));
  else context.print(nameVault(formatReport(report)));
  return report.state === 'unsealed' && (report.damaged || report.changed)
    ? EXIT.failed
    : EXIT_OF[report.state];
};

const LABEL_WIDTH = 11;

function formatReport(report: VaultReport): string {
  const { database, database_size_bytes: size } = report;
  const rows: [string, string | null][] = [
    ['daemon', formatDaemon(report)],
    ['state', formatState(report)],
    ['changed', formatChanged(report)],
    ['seals', formatSealing(report)],
    ...(report.unheard ?? []).map((sentence): [string, string] => ['seal_on', sentence]),
    ['program', report.replaced === true ? 'was replaced since the daemon started; restart mav serve' : null],
    ['key store', formatKeyStores(report)],
    ['rotation', formatRotation(report)],
    ['recovery', formatRecovery(report)],
    ['secrets', report.secret_count === null ? null : String(report.secret_count)],
    ['due', formatDue(report)],
    ['history', formatHistory(report)],
    ['folder', report.folder],
    ['database', database === null || size === null ? database : `${database} (${formatSize(size)})`],
    ['socket', report.socket],
  ];
  return rows
    .filter(([, text]) => text !== null)
    .map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${escapeControls(text ?? '')}`)
    .join('\n');
}

function formatDaemon({ daemon, daemon_pid: pid, daemon_since: since }: VaultReport): string {
  if (pid === null) return daemon;
  return since === null
    ? `${daemon}: process ${pid}`
    : `${daemon}: process ${pid}, since ${formatTime(since)}`;
}

function formatState({ state, reason }: VaultReport): string {
  return reason === null ? state : `${state}: ${reason}`;
}

function formatChanged({ changed, changed_rows: rows }: VaultReport): string | null {
  if (rows !== null) return describeChanged(rows);
  return changed === true ? 'the daemon found changes that were made without the key; ask the owner' : null;
}

function formatSealing({ idle_seal_at: idle, max_unsealed_at: latest }: VaultReport): string | null {
  const times = [
    ...(idle === null ? [] : [`${formatTime(idle)} if no secret is asked for until then`]),
    ...(latest === null ? [] : [`${formatTime(latest)} in any case`]),
  ];
  return times.length === 0 ? null : `at ${times.join(', at ')}`;
}

/** Said as long as there is none. */
function formatRecovery({ key_stores: stores }: VaultReport): string | null {
  if (stores === null) return null;
  return stores.includes('recovery')
    ? 'has a recovery code'
    : 'no recovery code; make one with: mav key add recovery';
}

function formatKeyStores({ key_stores: stores, key_file: file }: VaultReport): string | null {
  const daily = stores?.filter((kind) => kind !== 'recovery');
  return daily?.map((kind) => (kind === 'file' ? `file ${file}` : kind)).join(', ') ?? null;
}

function formatRotation({
  rotation,
  state,
  old_kek_generations: old,
  kek_wraps: wraps,
}: VaultReport): string | null {
  if (rotation !== null) {
    const { done, total, kek_generation: generation } = rotation;
    const goesOn = state === 'sealed' ? '; it goes on once the vault is unsealed' : '';
    return `to generation ${generation}: ${done} of ${total}${goesOn}`;
  }
  if (old === null || old.length === 0)
    return isWorn(wraps ?? 0) ? 'the key has wrapped 2^40 keys; it is time for: mav key rotate' : null;
  return `damaged rows keep generation ${old.join(', ')}; they are named by: mav key rotate`;
}

function formatDue({ due_count: count }: VaultReport): string | null {
  if (count === null || count === 0) return null;
  return `${count === 1 ? '1 secret is' : `${count} secrets are`} past a date; see: mav list --due now`;
}

function formatHistory(report: VaultReport): string | null {
  const { version_count: versions, deleted_count: deleted, history_bytes: bytes } = report;
  if (versions === null || deleted === null || bytes === null) return null;
  if (versions === 0 && deleted === 0) return formatNoHistory(report);
  const parts = [
    versions === 1 ? '1 old version' : `${versions} old versions`,
    ...(deleted === 0 ? [] : [deleted === 1 ? '1 deleted secret' : `${deleted} deleted secrets`]),
  ];
  return `${parts.join(', ')} (${formatSize(bytes)})`;
}

/** What config.json switches off is said. */
function formatNoHistory({ keep_versions: versions }: VaultReport): string {
  return versions === 1 ? 'nothing is kept of what is replaced or deleted (config.json)' : 'nothing yet';
}
