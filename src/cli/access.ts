/**
 * The command line's way to the vault: the daemon, if one runs; else this process takes the vault itself and goes
 * through the very same pipeline. With MAV_TOKEN set it is that token's principal and nothing more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Response, requestOverSocket } from '../client/transport.ts';
import { type Home, secureHome } from '../home.ts';
import { awaitSessionToken, locateSessionToken, mintSessionToken } from '../session-token.ts';
import type { Input } from './command.ts';
import { type Context, homeOf } from './context.ts';
import { CliError, EXIT, exitCodeOf } from './failure.ts';
import { poolOptions } from './vault-options.ts';

/** Asks the API; throws CliError for an error answer. `body` is encoded as JSON. */
export type Ask = (method: string, target: string, body?: unknown) => Promise<unknown>;

/** How long to wait for another short command that has the vault just now. */
const OWNER_PATIENCE_MS = 5_000;
const OWNER_POLL_MS = 25;

/** Runs `use` with a way to the vault, and closes it afterwards. */
export async function withAccess<T>(input: Input, use: (ask: Ask) => Promise<T>): Promise<T> {
  const home = homeOf(input.context, input.text('socket'));
  const daemon = askDaemon(input.context, home);
  if (await isServed(home)) return use(daemon);
  if (input.context.env.MAV_TOKEN) {
    throw new CliError(
      EXIT.failed,
      `no daemon answers on ${home.socketPath}; MAV_TOKEN needs one: mav serve`,
    );
  }
  return withOwnVault(input, home, daemon, use);
}

/** As withAccess, for what only a running daemon can do. */
export async function withDaemon<T>(input: Input, use: (ask: Ask) => Promise<T>): Promise<T> {
  const home = homeOf(input.context, input.text('socket'));
  if (!(await isServed(home)))
    throw new CliError(EXIT.failed, `no daemon answers on ${home.socketPath}; start one: mav serve`);
  return use(askDaemon(input.context, home));
}

async function isServed(home: Home): Promise<boolean> {
  const { isAlive } = await import('../client/alive.ts');
  return isAlive(home.socketPath);
}

function askDaemon({ env }: Context, home: Home): Ask {
  return async (method, target, body) => {
    const askHealth = () =>
      requestOverSocket(home.socketPath, '', { method: 'GET', target: '/v1/health', body: null });
    const token =
      env.MAV_TOKEN || (await awaitSessionToken(locateSessionToken(env, home.socketPath), askHealth));
    if (token === null) {
      throw new CliError(
        EXIT.notAllowed,
        'the daemon left no session token for this user; set MAV_TOKEN to a token of yours',
      );
    }
    return unpack(await requestOverSocket(home.socketPath, token, { method, target, body: encode(body) }));
  };
}

/** Bytes are taken as they are (a passphrase is never a string again). */
function encode(body: unknown): Uint8Array<ArrayBuffer> | null {
  if (body === undefined) return null;
  return body instanceof Uint8Array
    ? (body as Uint8Array<ArrayBuffer>)
    : new TextEncoder().encode(JSON.stringify(body));
}

function unpack({ status, body }: Response): unknown {
  const answer = JSON.parse(Buffer.from(body).toString());
  if (status < 400) return answer;
  throw new CliError(exitCodeOf(answer.code), answer.error);
}

async function withOwnVault<T>(
  input: Input,
  home: Home,
  daemon: Ask,
  use: (ask: Ask) => Promise<T>,
): Promise<T> {
  secureHome(home);
  const { releaseOwnership } = await import('../daemon/ownership.ts');
  // A daemon may have started meanwhile; then it is the way after all.
  if (!(await takeTurn(home, input.command))) return use(daemon);
  try {
    return await useOwnVault(input, home, use);
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
    if (await isServed(home)) return false;
    await sleep(OWNER_POLL_MS);
  }
}

async function useOwnVault<T>(input: Input, home: Home, use: (ask: Ask) => Promise<T>): Promise<T> {
  const { HeldVault } = await import('../daemon/held-vault.ts');
  const { answerRequest } = await import('../http/answer.ts');
  const sessionToken = mintSessionToken();
  const options = poolOptions(input.context, home, input.text('passphrase-file'), 1);
  const vault = new HeldVault(options, sessionToken, (event, detail) => {
    if (event === 'warning' || event === 'failure' || event === 'worker-died')
      input.context.say(`mav: ${event}: ${detail}`);
  });
  try {
    await unsealOwn(input, vault);
    return await use(async (method, target, body) => {
      const encoded = encode(body);
      const authorization = `Bearer ${sessionToken}`;
      const none = { requestId: undefined, ifMatch: undefined, ifNoneMatch: undefined };
      return unpack(
        await answerRequest(vault, { method, target, authorization, ...none, readBody: async () => encoded }),
      );
    });
  } finally {
    await vault.close();
  }
}

/** A vault that only its passphrase opens is asked for on a terminal. Throws CliError if it stays sealed. */
async function unsealOwn(
  input: Input,
  vault: InstanceType<typeof import('../daemon/held-vault.ts').HeldVault>,
) {
  const first = await vault.unseal();
  if (first.ok) return;
  if (!first.message.includes('passphrase') || !input.context.canAsk)
    throw new CliError(EXIT.sealed, first.message);
  const { askPassphrase } = await import('./prompt.ts');
  const second = await vault.unseal(await askPassphrase('Passphrase: '));
  if (!second.ok) throw new CliError(exitCodeOf(second.code), second.message);
}
