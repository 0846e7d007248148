/** `mav accept-restore`: takes the vault as it is, after it was put back from an older copy or changed without the key. */
import { describeNoVault, hasVault } from '../../places/home.ts';
import { findKnownVault } from '../../places/known-vaults.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { explainWrong, tryPassphrases } from '../input/passphrase.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken } from '../vault/access.ts';
import { askOwnThread, readAnswer, withOwnership } from '../vault/adoption.ts';

const WORD = 'accept';

/** Times in Unix seconds. */
interface Found {
  readonly epoch: number;
  /** Null if what the vault says of its own rows was changed without the key. */
  readonly from: number | null;
  /** By how many commits it is older; null: by none. */
  readonly commits: number | null;
  readonly known_from: number | null;
  /** Which rows were changed without the key; empty if none were. */
  readonly rows: string;
}

export const run: Run = async (input) => {
  const { context, home } = input;
  refuseToken(input, 'accept the vault');
  if (!hasVault(home)) throw new CliError(EXIT.failed, describeNoVault(home));
  const found = JSON.parse(await askWithKey(input)) as Found;
  if (found.from !== null && found.commits === null && found.rows === '') {
    context.say(`The vault at ${home.databasePath} is as it was left; nothing was done.`);
    return EXIT.done;
  }
  context.complain(escapeControls(describeFound(home.databasePath, found)));
  await confirm(input, 'Take it as it is?', WORD);
  await askWithKey(input, { epoch: String(found.epoch) });
  context.say('Accepted.');
  return EXIT.done;
};

function describeFound(path: string, { from, commits, known_from: last, rows }: Found): string {
  const seen = last === null ? '' : ` The last commit that this account saw is from ${formatTime(last)}.`;
  const age =
    from === null || commits === null
      ? `The vault at ${path} was changed by somebody without the key.`
      : `The vault at ${path} is from ${formatTime(from)}${commits > 0 ? `, ${commits} commits older` : ''}.${seen}`;
  return [
    age,
    ...(rows === '' ? [] : [`In it ${rows}.`]),
    'If you did not restore it yourself, say no: what was revoked, deleted or replaced since may be valid again.',
  ].join('\n');
}

/** In UTC, to the second. */
function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC');
}

/** Asks the vault's thread, with a passphrase where the vault needs one. */
async function askWithKey(input: Input, params: Record<string, string> = {}): Promise<string> {
  const known = findKnownVault(input.home);
  const ask = (body: Uint8Array<ArrayBuffer> | null) =>
    withOwnership(input, 'accept', () =>
      askOwnThread(input, known, { operation: 'vault.acceptRestore', params, body }),
    );
  const answered = await ask(null);
  if (answered.ok || answered.reason !== 'needs_passphrase') return readAnswer(answered);
  const asked = await tryPassphrases(input.context, async (body) => {
    const result = await ask(body);
    const isWrong = !result.ok && result.reason === 'wrong_passphrase';
    return isWrong ? { isWrong } : { isWrong: false, result };
  });
  if (asked.kind === 'wrong') throw explainWrong();
  return readAnswer(asked.kind === 'answered' ? asked.result : answered);
}
