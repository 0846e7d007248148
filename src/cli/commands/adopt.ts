/** `mav adopt`: takes the vault that lies here for the user's own. It says what it is, and what was known here before. */
import type { KnownVault } from '../../../workers/messages.ts';
import type { CallResult } from '../../call-result.ts';
import { describeNoVault, hasVault } from '../../places/home.ts';
import { findKnownVault } from '../../places/known-vaults.ts';
import { TURN_PATIENCE_MS } from '../../places/owner.ts';
import type { PoolOptions } from '../../pool/pools.ts';
import { adviseOn } from '../../remedies.ts';
import type { Input, Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { CliError, EXIT, exitCodeOf } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken } from '../vault/access.ts';
import { describeVault } from '../vault/known-report.ts';
import { poolOptions } from '../vault/pool-options.ts';
import { chooseReader } from '../vault/remedy-readers.ts';

const WORD = 'adopt';

interface Inspected {
  readonly found: KnownVault;
  readonly difference: string | null;
}

export const run: Run = async (input) => {
  const { context, home } = input;
  refuseToken(input, 'adopt a vault');
  if (!hasVault(home)) throw new CliError(EXIT.failed, describeNoVault(home));
  const known = findKnownVault(home);
  const { found, difference } = JSON.parse(
    await askThread(input, poolOptions(context, home, undefined, 0, known), 'vault.inspect'),
  ) as Inspected;
  if (known !== null && difference === null) {
    context.say(`The vault at ${home.databasePath} is known already; nothing was done.`);
    return EXIT.done;
  }
  tellVault(context, home.databasePath, found, known);
  await confirm(input, 'Take it for your own?', WORD);
  const options = poolOptions(context, home, undefined, 0, known);
  await askThread(input, options, 'vault.adopt', { found: JSON.stringify(found) });
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

/** Asks the vault's thread while this process owns the vault, and returns its JSON. Throws CliError. */
async function askThread(
  { home }: Input,
  options: PoolOptions,
  operation: 'vault.inspect' | 'vault.adopt',
  params: Record<string, string> = {},
): Promise<string> {
  const { awaitOwnership, releaseOwnership } = await import('../../daemon/ownership.ts');
  const isServed = async () =>
    (await import('../../places/owner.ts')).readOwner(home.ownerPath)?.command === 'serve';
  if (!(await awaitOwnership(home, 'adopt', TURN_PATIENCE_MS, isServed))) {
    throw new CliError(
      EXIT.failed,
      'mav serve has the vault; end it (Ctrl-C, or mav service stop), adopt the vault, and start it again',
    );
  }
  const { Pools } = await import('../../pool/pools.ts');
  const pools = new Pools(options, () => {});
  try {
    return readAnswer(await pools.control({ operation, params, body: null, mayReplace: false }));
  } finally {
    await pools.close();
    releaseOwnership(home);
  }
}

function readAnswer(answered: CallResult): string {
  if (!answered.ok) throw new CliError(exitCodeOf(answered.code), adviseOn(answered, chooseReader('own')));
  return Buffer.from(answered.body).toString();
}
