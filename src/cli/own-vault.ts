/** The vault in this very process, while no daemon runs: the same pool, the same pipeline, no socket. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../client/alive.ts';
import { Client } from '../client/client.ts';
import type { Incoming, Outgoing, Send } from '../client/connection.ts';
import { type Home, hasVault } from '../home.ts';
import type { Answer, Backend } from '../http/answer.ts';
import type { Input } from './command.ts';
import { CliError, EXIT, exitCodeOf } from './failure.ts';
import { poolOptions } from './vault-options.ts';

/** How long to wait for another short command that has the vault just now. */
const OWNER_PATIENCE_MS = 5_000;
const OWNER_POLL_MS = 25;

/** Runs `use` on the vault itself, or `otherwise` if a daemon has it by now. Throws OwnedElsewhereError, CliError. */
export async function withOwnVault<T>(
  input: Input,
  use: (client: Client) => Promise<T>,
  otherwise: () => Promise<T>,
): Promise<T> {
  const { home, command } = input;
  // Before anything is made: a mistyped MAV_HOME must not leave a folder behind.
  if (!hasVault(home))
    throw new CliError(EXIT.failed, `there is no vault at ${home.databasePath}; make one: mav init`);
  const { releaseOwnership } = await import('../daemon/ownership.ts');
  if (!(await takeTurn(home, command))) return otherwise();
  try {
    return await useOwnVault(input, use);
  } finally {
    releaseOwnership(home);
  }
}

/** Waits for the vault to be free; false if a daemon has it. Throws OwnedElsewhereError when patience ends. */
async function takeTurn(home: Home, command: string): Promise<boolean> {
  const { OwnedElsewhereError, takeOwnership } = await import('../daemon/ownership.ts');
  const deadline = Date.now() + OWNER_PATIENCE_MS;
  for (;;) {
    try {
      takeOwnership(home, command);
      return true;
    } catch (error) {
      if (!(error instanceof OwnedElsewhereError) || Date.now() > deadline) throw error;
    }
    if (await isAlive(home.socketPath)) return false;
    await sleep(OWNER_POLL_MS);
  }
}

async function useOwnVault<T>(input: Input, use: (client: Client) => Promise<T>): Promise<T> {
  const { HeldVault } = await import('../daemon/held-vault.ts');
  const { mintSessionToken } = await import('../daemon/mint-session-token.ts');
  const sessionToken = mintSessionToken();
  // One thread for reading and writing: a short command does one thing after another.
  const options = poolOptions(input.context, input.home, input.text('passphrase-file'), 0);
  const vault = new HeldVault(options, sessionToken, (event, detail) => {
    if (event === 'warning' || event === 'failure' || event === 'worker-died')
      input.context.complain(`mav: ${event}: ${detail}`);
  });
  try {
    await unsealOwn(input, vault);
    return await use(new Client(await createSend(vault), sessionToken));
  } finally {
    await vault.close();
  }
}

/** The daemon's own pipeline behind the client's interface. */
async function createSend(vault: Backend): Promise<Send> {
  const { answerRequest } = await import('../http/answer.ts');
  return async ({ method, target, headers, body }: Outgoing) =>
    toIncoming(
      await answerRequest(vault, {
        method,
        target,
        authorization: headers.Authorization,
        requestId: undefined,
        ifMatch: headers['If-Match'],
        ifNoneMatch: headers['If-None-Match'],
        // In memory of its own: it is moved to a worker.
        readBody: async () => (body === null || body.length === 0 ? null : new Uint8Array(body)),
      }),
    );
}

function toIncoming({ status, headers, body }: Answer): Incoming {
  const byName: Record<string, string> = {};
  for (let at = 0; at < headers.length; at += 2)
    byName[(headers[at] ?? '').toLowerCase()] = headers[at + 1] ?? '';
  return { status, headers: byName, body };
}

type Unsealable = InstanceType<typeof import('../daemon/held-vault.ts').HeldVault>;

/** A vault that only its passphrase opens is asked for on a terminal. Throws CliError if it stays sealed. */
async function unsealOwn({ context }: Input, vault: Unsealable): Promise<void> {
  const first = await vault.unseal();
  if (first.ok) return;
  if (!first.message.includes('passphrase') || !context.canAsk)
    throw new CliError(EXIT.sealed, first.message);
  const { askPassphrase } = await import('./prompt.ts');
  const second = await vault.unseal(await askPassphrase('Passphrase: '));
  if (!second.ok) throw new CliError(exitCodeOf(second.code), second.message);
}
