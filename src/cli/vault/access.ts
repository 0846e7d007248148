/**
 * The command line's way to the vault: the daemon, if one runs; else this process takes the vault itself and goes
 * through the very same pipeline. With MAV_TOKEN set it is that token's principal and nothing more.
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
import { guardChanges } from './guarded-changes.ts';
import type { AccessOptions, Use } from './vault-access.ts';

/** CallResult without a token, and only by a daemon that has left its own. */
const HEALTH: Outgoing = { method: 'GET', target: '/v1/health', headers: {}, body: null };
const TOKEN = /^mv[ts]_[0-9a-f]{64}$/i;

/** Runs `use` with a way to the vault, and closes it afterwards. Throws CliError if there is none. */
export async function withVault<T>(input: Input, use: Use<T>, options: AccessOptions = {}): Promise<T> {
  const { home, context } = input;
  const token = readGivenToken(context.env);
  const connection = await connectToDaemon(home);
  if (connection !== null) return useDaemon(input, connection, { token, use, options });
  if (token !== null) throw explainNoDaemon(home, 'MAV_TOKEN needs one');
  const { withOwnVault } = await import('./own-vault.ts');
  // A daemon may start meanwhile; then it is the way after all.
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

/** MAV_TOKEN; null if it is not set. An empty one is what a script has whose own token command failed: no token at all. */
export function readGivenToken({ MAV_TOKEN: token }: NodeJS.ProcessEnv): string | null {
  if (token === undefined) return null;
  if (TOKEN.test(token)) return token;
  const problem = token === '' ? 'is set but empty' : 'is not a token (mvt_ and 64 hex digits, nothing else)';
  throw new CliError(EXIT.notAllowed, `MAV_TOKEN ${problem}; set it to a token, or unset it`);
}

/** null if nobody listens there. Throws CliError if it cannot be reached for another reason. */
async function connectToDaemon(home: Home): Promise<Connection | null> {
  const { socketPath } = home;
  try {
    return await Connection.open(socketPath);
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
  // More wait to be let in than the kernel keeps, and nobody lets them in.
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
    return await errand.use(new Client(answerSealed(input, send, token, errand), token), 'daemon');
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
  // The Go program's own daemon listens at the same place, and leaves none.
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

/** A Send that does what can be done about a sealed vault: unseals it, or says how. */
function answerSealed<T>(
  { context }: Input,
  send: Send,
  token: string,
  { token: given, options: { mayBeSealed, bringsKey } }: Errand<T>,
): Send {
  const mayOffer = given === null && !mayBeSealed && !bringsKey && context.canAskPassphrase;
  const told = given !== null ? 'token' : bringsKey ? 'key' : 'session';
  // Of all requests under way only the first one asks.
  let offered: Promise<boolean> | null = null;
  return async (outgoing) => {
    const incoming = await send(outgoing);
    if (incoming.status !== 503) return incoming;
    const { adviseIn, offerToUnseal } = await import('./sealed-response.ts');
    if (mayOffer) offered ??= offerToUnseal(context, incoming, new Client(send, token));
    // It was refused, and so can be sent again.
    return adviseIn((await offered) === true ? await send(outgoing) : incoming, told, context);
  };
}
