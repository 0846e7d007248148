/** The vault in this very process, while no daemon runs: the same pool, the same pipeline, no socket. */
import { Client } from '../client/client.ts';
import type { InProcessVault } from '../daemon/in-process.ts';
import { hasVault } from '../home.ts';
import type { Input } from './command.ts';
import { CliError, EXIT, exitCodeOf } from './failure.ts';
import { adviseWithoutDaemon } from './remedy.ts';
import { poolOptions } from './vault-options.ts';
import type { AccessOptions, Use } from './way.ts';

/** What a command says of the vault's own events; the rest is for a daemon's log. */
const EVENTS: readonly string[] = ['warning', 'failure', 'worker-died'];

/** Runs `use` on the vault itself, or `otherwise` if a daemon has it by now. Throws OwnedElsewhereError, CliError. */
export async function withOwnVault<T>(
  input: Input,
  use: Use<T>,
  otherwise: () => Promise<T>,
  { mayBeSealed = false }: AccessOptions = {},
): Promise<T> {
  const { home, command, context } = input;
  // Before anything is made: a mistyped MAV_HOME must not leave a folder behind.
  if (!hasVault(home))
    throw new CliError(EXIT.failed, `there is no vault at ${home.databasePath}; make one: mav init`);
  const { holdInProcess } = await import('../daemon/in-process.ts');
  // One thread for reading and writing: a short command does one thing after another.
  const options = poolOptions(context, home, input.text('passphrase-file'), 0);
  const vault = await holdInProcess(home, command, options, (event, detail) => {
    if (EVENTS.includes(event)) context.complain(`mav: ${event}: ${detail}`);
  });
  if (vault === null) return otherwise();
  try {
    if (mayBeSealed) await vault.unseal();
    else await unseal(input, vault);
    return await use(new Client(vault.send, vault.sessionToken), 'own');
  } finally {
    await vault.close();
  }
}

/** A vault that only its passphrase opens is asked for on a terminal. Throws CliError if it stays sealed. */
async function unseal({ context }: Input, vault: InProcessVault): Promise<void> {
  const first = await vault.unseal();
  if (first.ok) return;
  if (!first.message.includes('passphrase') || !context.canAsk)
    throw new CliError(EXIT.sealed, adviseWithoutDaemon(first.message));
  const { askPassphrase } = await import('./prompt.ts');
  const second = await vault.unseal(await askPassphrase('Passphrase: '));
  if (!second.ok) throw new CliError(exitCodeOf(second.code), adviseWithoutDaemon(second.message));
}
