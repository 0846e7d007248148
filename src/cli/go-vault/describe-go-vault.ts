/** What is told of a vault of the Go program that is imported. */
import type { GoVaultReport } from '../../../workers/messages.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import type { Context } from '../run/context.ts';
import { listNames } from '../transfer/store-import.ts';
import { describeProblem } from './read-go-vault.ts';

/** The members that `-o json` has beside those of every import. */
export function aboutGoVault(
  path: string,
  { schema, tokens, orphans, untimed, refused }: GoVaultReport,
): object {
  return { from: path, schema, tokens, orphans, untimed, left_out: refused };
}

/** Tells what does not come along as it was. */
export function tellGoVault({ say }: Context, { tokens, orphans, untimed, refused }: GoVaultReport): void {
  for (const problem of refused) say(`Left out: ${describeProblem(problem)}.`);
  if (orphans.length > 0)
    say(`Fields without a secret, which become secrets of their own: ${listNames(orphans)}.`);
  if (untimed.length > 0)
    say(`Their times cannot be read, so they are those of the import: ${listNames(untimed)}.`);
  if (tokens.length === 0) return;
  say('Tokens are not imported; make new ones with mav token create:');
  for (const { name, scopes, created_at: created } of tokens)
    say(`  ${escapeControls(`${name} (${scopes}), made ${created}`)}`);
}
