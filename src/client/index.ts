/**
 * The public library: `import { connect } from 'maestrovault/client'`. Works from any Node program that has a token of
 * a vault whose daemon runs on this machine.
 */
import { readSettings } from '../config.ts';
import { Client } from './client.ts';
import { SocketTransport } from './socket-transport.ts';

export { ConnectionError } from './connection-error.ts';
export { type ErrorCode, MaestroVaultError, type Reason } from './errors.ts';
export type * from './types.ts';

export interface ConnectOptions {
  /** Default: `MAV_TOKEN`. */
  readonly token?: string;
  /** Default: `MAV_SOCKET`, else what config.json says, else the socket in `MAV_HOME` or `~/.maestrovault`. */
  readonly socketPath?: string;
}

/** A client of the daemon. It connects at the first request, and never keeps a program from ending. */
export interface VaultClient extends Client {
  /** Ends the connection, if one is open. */
  close(): void;
}

/** Throws TypeError where there is no token. */
export function connect({ token = process.env.MAV_TOKEN, socketPath }: ConnectOptions = {}): VaultClient {
  if (!token) throw new TypeError('a token is needed: connect({ token }) or MAV_TOKEN');
  const { home } = readSettings(process.env, { socket: socketPath });
  const transport = new SocketTransport(home.socketPath);
  const client = new Client((outgoing) => transport.send(outgoing), token);
  return Object.assign(client, { close: () => transport.close() });
}

export type { Client };
