/** The stream of changes for a command: over restarts of the daemon, each of which has another session token. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../client/client.ts';
import type { Incoming, Outgoing, Send } from '../../client/connection.ts';
import { ConnectionError } from '../../client/connection-error.ts';
import { SocketTransport } from '../../client/socket-transport.ts';
import type { ChangeEvent } from '../../client/types.ts';
import type { Home } from '../../places/home.ts';
import { findSessionFile, readSessionToken } from '../../places/session-token.ts';
import type { Input } from '../run/command.ts';
import { readGivenToken } from '../vault/access.ts';

/** A daemon that has just begun to listen leaves its session token within this time. */
const TOKEN_PATIENCE_MS = 500;
const UNAUTHORIZED = 401;

/** Yields what `Client.watchChanges` yields. `environment`: undefined for all. Throws what the first connection fails with. */
export function followDaemon(
  { home, context }: Input,
  environment: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ChangeEvent, void, undefined> {
  const transport = new SocketTransport(home.socketPath);
  const send: Send = (outgoing) => transport.send(outgoing);
  const token = readGivenToken(context.env);
  const client =
    token === null ? new Client(withSession(send, home, context.env), null) : new Client(send, token);
  return client.watchChanges({ environment, signal });
}

/** Returns a Send that reads the session token anew for each request. */
function withSession(send: Send, { socketPath }: Home, env: NodeJS.ProcessEnv): Send {
  const readToken = () => readSessionToken(findSessionFile(env, socketPath));
  const sendWith = (outgoing: Outgoing, token: string | null): Promise<Incoming> => {
    if (token === null) throw new ConnectionError('the daemon left no session token for this user');
    const headers = { ...outgoing.headers, Authorization: `Bearer ${token}` };
    return send({ ...outgoing, headers });
  };
  return async (outgoing) => {
    const token = readToken();
    const incoming = await sendWith(outgoing, token);
    if (incoming.status !== UNAUTHORIZED) return incoming;
    // The token of a daemon that was killed lies there until the next one has written its own.
    await sleep(TOKEN_PATIENCE_MS);
    const next = readToken();
    return next === token ? incoming : sendWith(outgoing, next);
  };
}
