/** `mav adopt`: takes the vault that lies here for the user's own. It says what it is, and what was known here before. */
import type { KnownVault } from '../../../workers/messages.ts';
import { describeNoVault, hasVault } from '../../places/home.ts';
import { findKnownVault } from '../../places/known-vaults.ts';
import type { Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken } from '../vault/access.ts';
import { adoptFound, inspectFound, withOwnership } from '../vault/adoption.ts';
import { describeVault } from '../vault/known-report.ts';

const WORD = 'adopt';

export const run: Run = async (input) => {
  const { context, home } = input;
  refuseToken(input, 'adopt a vault');
  if (!hasVault(home)) throw new CliError(EXIT.failed, describeNoVault(home));
  const known = findKnownVault(home);
  const { found, difference } = await withOwnership(input, 'adopt', () => inspectFound(input, known));
  if (known !== null && difference === null) {
    context.say(`The vault at ${home.databasePath} is known already; nothing was done.`);
    return EXIT.done;
  }
  tellVault(context, home.databasePath, found, known);
  await confirm(input, 'Take it for your own?', WORD);
  await withOwnership(input, 'adopt', () => adoptFound(input, known, found));
  context.say(`Adopted. It is written down in ${home.knownVaultsPath}.`);
  return EXIT.done;
};

function tellVault({ complain }: Context, path: string, found: KnownVault, known: KnownVault | null): void {
  const before =
    known === null ? 'No vault is known there.' : `Known there is another: ${describeVault(known)}.`;
  complain(
    [
      `At ${path} lies: ${describeVault(found)}.`,
      before,
      'If you did not put it there yourself (moved, copied or restored it), say no: what you store in it could be read by',
      'whoever did.',
    ].join('\n'),
  );
}
