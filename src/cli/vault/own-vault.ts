/** The vault in this very process, while no daemon runs: the same pool, the same pipeline, no socket. */
import type { CallResult } from '../../call-result.ts';
import { Client } from '../../client/client.ts';
import type { Send } from '../../client/connection.ts';
import type { InProcessVault } from '../../daemon/in-process.ts';
import { describeNoVault, hasVault } from '../../places/home.ts';
import { findKnownVault } from '../../places/known-vaults.ts';
import type { Problem } from '../../remedies.ts';
import { checkPassphraseFile } from '../input/passphrase-file.ts';
import type { Input } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { askingSend } from './asking-send.ts';
import { guardChanges } from './guarded-changes.ts';
import { poolOptions } from './pool-options.ts';
import { findPurpose } from './purpose.ts';
import type { Told } from './remedy-readers.ts';
import type { AccessOptions, Use } from './vault-access.ts';

/** The events of the vault that a command prints; the others are for a daemon's log. */
const EVENTS: readonly string[] = ['warning', 'failure', 'worker-died'];

/** Runs `use` on the vault itself, or `otherwise` if a daemon has it by now. Throws OwnedElsewhereError, CliError. */
export async function withOwnVault<T>(
  input: Input,
  use: Use<T>,
  otherwise: () => Promise<T>,
  { mayBeSealed = false, bringsKey = false, turnPatienceMs }: AccessOptions = {},
): Promise<T> {
  const { home, context } = input;
  // Before anything is made: a mistyped MAV_HOME must not leave a folder behind.
  if (!hasVault(home)) throw new CliError(EXIT.failed, describeNoVault(home));
  checkPassphraseFile(input);
  const vault = await holdAsKnown(input, turnPatienceMs);
  if (vault === null) return otherwise();
  try {
    if (mayBeSealed) await vault.unseal();
    else await unsealVault(input, vault);
    const send = advisingSend(vault, bringsKey ? 'key' : mayBeSealed ? 'unasking' : 'own', context);
    const asking = askingSend(guardChanges(send, context), vault.sessionToken, context);
    const client = new Client(asking, vault.sessionToken, findPurpose(input));
    return await use(client, 'own');
  } finally {
    await vault.close();
  }
}

/** As holdInProcess, with what is known of the vault once it is ours: the command before this one may have changed its keys. */
async function holdAsKnown(
  { home, command, context, text }: Input,
  turnPatienceMs: number | undefined,
): Promise<InProcessVault | null> {
  const { holdInProcess } = await import('../../daemon/in-process.ts');
  for (let known = findKnownVault(home); ; ) {
    // One thread for reading and writing: a short command does one thing after another.
    const options = poolOptions(context, home, text('passphrase-file'), 0, known);
    const vault = await holdInProcess(home, command, options, reportTo(context), turnPatienceMs);
    const latest = vault === null ? known : findKnownVault(home);
    if (JSON.stringify(latest) === JSON.stringify(known)) return vault;
    await vault?.close();
    known = latest;
  }
}

export function reportTo({ complain }: Context): (event: string, detail: string) => void {
  return (event, detail) => {
    if (EVENTS.includes(event)) complain(`mav: ${event}: ${detail}`);
  };
}

/** Returns a Send whose answers of a sealed vault say what this command can do about it. */
function advisingSend(vault: InProcessVault, told: Told, context: Context): Send {
  return async (outgoing) => {
    const incoming = await vault.send(outgoing);
    if (incoming.status !== 503) return incoming;
    return (await import('./sealed-response.ts')).adviseIn(incoming, told, context);
  };
}

/**
 * The passphrase of a vault that needs one is asked for on a terminal. `tried`: how an attempt without one ended, if it was made
 * already. Throws CliError if the vault stays sealed.
 */
export async function unsealVault(
  { context }: Input,
  vault: InProcessVault,
  tried?: CallResult,
): Promise<void> {
  const first = tried ?? (await vault.unseal());
  if (first.ok) return;
  if (first.reason !== 'needs_passphrase') throw await explainSealed(context, first);
  const { explainWrong, tryPassphrases } = await import('../input/passphrase.ts');
  const asked = await tryPassphrases(context, async (body) => {
    const answered = await vault.unseal(body);
    if (answered.ok) return { isWrong: false, result: answered };
    if (answered.reason === 'wrong_passphrase') return { isWrong: true };
    throw await explainSealed(context, answered);
  });
  if (asked.kind === 'wrong') throw explainWrong();
  if (asked.kind === 'nobody') throw await explainSealed(context, first);
}

async function explainSealed(context: Context, problem: Problem): Promise<CliError> {
  const { adviseOn } = await import('../../remedies.ts');
  const { chooseReader } = await import('./remedy-readers.ts');
  const { describeTyping } = await import('../input/passphrase.ts');
  return new CliError(EXIT.sealed, adviseOn(problem, chooseReader('own', describeTyping(context))));
}
