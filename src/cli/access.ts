/**
 * The command line's way to the vault: the daemon, if one runs; else this process takes the vault itself and goes
 * through the very same pipeline. With MAV_TOKEN set it is that token's principal and nothing more.
 */
import { meansNobody } from '../client/alive.ts';
import { Client } from '../client/client.ts';
import { Connection, type Outgoing } from '../client/connection.ts';
import { explainForeignVault } from '../foreign-vault.ts';
import type { Home } from '../home.ts';
import { awaitSessionToken, locateSessionToken } from '../session-token.ts';
import type { Input } from './command.ts';
import { CliError, EXIT } from './failure.ts';
import type { AccessOptions, Use } from './way.ts';

/** Answered without a token, and only by a daemon that has left its own. */
const HEALTH: Outgoing = { method: 'GET', target: '/v1/health', headers: {}, body: null };
const TOKEN = /^mv[ts]_[0-9a-f]{64}$/i;

/** Runs `use` with a way to the vault, and closes it afterwards. Throws CliError if there is none. */
export async function withVault<T>(input: Input, use: Use<T>, options: AccessOptions = {}): Promise<T> {
  const { home, context } = input;
  const token = readGivenToken(context.env);
  const connection = await connectToDaemon(home.socketPath);
  if (connection !== null) return useDaemon(input, connection, token, use);
  if (token !== null) throw explainNoDaemon(home, 'MAV_TOKEN needs one');
  const { withOwnVault } = await import('./own-vault.ts');
  // A daemon may start meanwhile; then it is the way after all.
  return withOwnVault(input, use, () => withDaemon(input, use), options);
}

/** As withVault, for what only a running daemon can do. */
export async function withDaemon<T>(input: Input, use: Use<T>): Promise<T> {
  const token = readGivenToken(input.context.env);
  const connection = await connectToDaemon(input.home.socketPath);
  if (connection === null) throw explainNoDaemon(input.home, 'start one');
  return useDaemon(input, connection, token, use);
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
async function connectToDaemon(socketPath: string): Promise<Connection | null> {
  try {
    return await Connection.open(socketPath);
  } catch (error) {
    if (meansNobody(error)) return null;
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(EXIT.notAllowed, `the daemon on ${socketPath} cannot be reached: ${code}`);
  }
}

async function useDaemon<T>(
  { home, context }: Input,
  connection: Connection,
  given: string | null,
  use: Use<T>,
): Promise<T> {
  try {
    const token = given ?? (await findSessionToken(context.env, home.socketPath, connection));
    if (token === null) {
      throw new CliError(
        EXIT.notAllowed,
        // The Go program's own daemon listens at the same place, and leaves none.
        explainForeignVault(home.databasePath) ??
          'the daemon left no session token for this user; set MAV_TOKEN to a token of yours',
      );
    }
    return await use(new Client((outgoing) => connection.send(outgoing), token), 'daemon');
  } finally {
    connection.close();
  }
}

function findSessionToken(
  env: NodeJS.ProcessEnv,
  socketPath: string,
  connection: Connection,
): Promise<string | null> {
  return awaitSessionToken(locateSessionToken(env, socketPath), () => connection.send(HEALTH));
}
