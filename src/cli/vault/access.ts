/**
 * How the command line reaches the vault: through the daemon, if one runs; else this process opens the vault itself and uses
 * the same pipeline. With MAV_TOKEN set it has that token's rights and no others.
 */
import { meansNobody } from '../../client/alive.ts';
import { Client } from '../../client/client.ts';
import { Connection, type Incoming, type Outgoing, type Send } from '../../client/connection.ts';
import { ConnectionError } from '../../client/connection-error.ts';
import { explainForeignVault } from '../../places/foreign-vault.ts';
import type { Home } from '../../places/home.ts';
import { awaitSessionToken } from '../../places/session-token.ts';
import { UnsafePlaceError } from '../../places/trusted-places.ts';
import { describeSystemError } from '../../system/system-error.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { askingSend } from './asking-send.ts';
import { guardChanges } from './guarded-changes.ts';
import { findPurpose } from './purpose.ts';
import type { AccessOptions, Use } from './vault-access.ts';

/** A request that the daemon answers without a token, once it has written its session token. */
const HEALTH: Outgoing = { method: 'GET', target: '/v1/health', headers: {}, body: null };
const TOKEN = /^mv[ts]_[0-9a-f]{64}$/i;

/** Runs `use` with a client of the vault, and closes the client afterwards. Throws CliError if the vault cannot be reached. */
export async function withVault<T>(input: Input, use: Use<T>, options: AccessOptions = {}): Promise<T> {
  const { home, context } = input;
  const token = readGivenToken(context.env);
  const connection = await connectToDaemon(home);
  if (connection !== null) return useDaemon(input, connection, { token, use, options });
  if (token !== null) throw explainNoDaemon(home, 'MAV_TOKEN needs one');
  const { withOwnVault } = await import('./own-vault.ts');
  // A daemon may start meanwhile. Then the daemon is used after all.
  return withOwnVault(input, use, () => withDaemon(input, use, options), options);
}

/** As withVault, for what only a running daemon can do. */
export async function withDaemon<T>(input: Input, use: Use<T>, options: AccessOptions = {}): Promise<T> {
  const token = readGivenToken(input.context.env);
  const connection = await connectToDaemon(input.home);
  if (connection === null) throw explainNoDaemon(input.home, 'start one');
  return useDaemon(input, connection, { token, use, options });
}

/** For what only the command line's own session may do. Throws CliError if MAV_TOKEN is set. */
export function refuseToken({ context: { env } }: Input, what: string): void {
  if (readGivenToken(env) !== null)
    throw new CliError(EXIT.notAllowed, `no token may ${what}; run this without MAV_TOKEN`);
}

function explainNoDaemon({ databasePath, socketPath }: Home, need: string): CliError {
  const message =
    explainForeignVault(databasePath) ?? `no daemon answers on ${socketPath}; ${need}: mav serve`;
  return new CliError(EXIT.failed, message);
}

/** Returns MAV_TOKEN, or null if it is not set. It is empty in a script whose command for the token failed: throws CliError. */
export function readGivenToken({ MAV_TOKEN: token }: NodeJS.ProcessEnv): string | null {
  if (token === undefined) return null;
  if (TOKEN.test(token)) return token;
  const problem = token === '' ? 'is set but empty' : 'is not a token (mvt_ and 64 hex digits, nothing else)';
  throw new CliError(EXIT.notAllowed, `MAV_TOKEN ${problem}; set it to a token, or unset it`);
}

/** Returns null if no daemon listens. Throws CliError if it cannot be reached for another reason. */
async function connectToDaemon(home: Home): Promise<Connection | null> {
  const { socketPath } = home;
  try {
    return await Connection.open(socketPath, { isBrief: true });
  } catch (error) {
    if (meansNobody(error)) return null;
    if (isSilence(error)) throw await explainSilent(home);
    if (error instanceof UnsafePlaceError) throw error;
    throw new CliError(
      EXIT.notAllowed,
      `the daemon on ${socketPath} cannot be reached: ${describeSystemError(error)}`,
    );
  }
}

function isSilence(error: unknown): boolean {
  const { isSilence: isSo, code } = error as { isSilence?: unknown; code?: unknown };
  // EAGAIN: the kernel's queue of clients is full, because the daemon accepts none.
  return isSo === true || code === 'EAGAIN';
}

async function explainSilent(home: Home): Promise<CliError> {
  const { describeSilence } = await import('./silent-daemon.ts');
  return new CliError(EXIT.failed, describeSilence(home), { isSilence: true });
}

interface Errand<T> {
  /** MAV_TOKEN, if it is set. */
  readonly token: string | null;
  readonly use: Use<T>;
  readonly options: AccessOptions;
}

async function useDaemon<T>(input: Input, connection: Connection, errand: Errand<T>): Promise<T> {
  const { home, context } = input;
  const { answerWithinMs } = errand.options;
  const timer =
    answerWithinMs === undefined ? undefined : setTimeout(() => connection.giveUp(), answerWithinMs);
  try {
    const send = guardChanges(explainingSend(connection, home), context);
    let health: Incoming | null = null;
    const ask = async () => {
      health = await send(HEALTH);
    };
    const token = errand.token ?? (await awaitSessionToken(context.env, home.socketPath, ask));
    if (token === null) throw explainNoToken(home, health);
    const unsealing = answerSealed(input, send, token, errand);
    const asking = errand.token === null ? askingSend(unsealing, token, context) : unsealing;
    const client = new Client(asking, token, findPurpose(input));
    return await errand.use(client, 'daemon');
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}

/** Returns a Send that says of a silent daemon what to do about it. */
function explainingSend(connection: Connection, home: Home): Send {
  return async (outgoing) => {
    try {
      return await connection.send(outgoing);
    } catch (error) {
      throw isSilence(error) ? await explainSilent(home) : error;
    }
  };
}

function explainNoToken({ databasePath, socketPath }: Home, health: Incoming | null): Error {
  // The Go program's daemon listens at the same place, and writes no session token.
  const foreign = explainForeignVault(databasePath);
  if (foreign === null && !isOurs(health))
    return new ConnectionError(
      `what listens on ${socketPath} is another program; end it, or choose another --socket`,
    );
  return new CliError(
    EXIT.notAllowed,
    foreign ?? 'the daemon left no session token for this user; set MAV_TOKEN to a token of yours',
  );
}

function isOurs(health: Incoming | null): boolean {
  try {
    return JSON.parse(Buffer.from(health?.body ?? []).toString()).status === 'ok';
  } catch {
    return false;
  }
}

/** Returns a Send that offers to unseal a sealed vault, or says how to. */
function answerSealed<T>(
  { context }: Input,
  send: Send,
  token: string,
  { token: given, options: { mayBeSealed, bringsKey } }: Errand<T>,
): Send {
  const mayOffer = given === null && !mayBeSealed && !bringsKey && context.canAskPassphrase;
  const told = given !== null ? 'token' : bringsKey ? 'key' : 'session';
  // Of several requests under way only the first asks the user.
  let offered: Promise<boolean> | null = null;
  return async (outgoing) => {
    const incoming = await send(outgoing);
    if (incoming.status !== 503) return incoming;
    const { adviseIn, offerToUnseal } = await import('./sealed-response.ts');
    if (mayOffer) offered ??= offerToUnseal(context, incoming, new Client(send, token));
    // The request was refused, so it can be sent again.
    return adviseIn((await offered) === true ? await send(outgoing) : incoming, told, context);
  };
}
