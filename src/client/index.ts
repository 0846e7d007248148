/**
 * The public library: `import { connect } from 'maestrovault/client'`. Works from any Node program that has a token of
 * a vault whose daemon runs on this machine.
 */
import { readSettings } from '../places/config.ts';
import { Client } from './client.ts';
import { SocketTransport } from './socket-transport.ts';

export { UntrustedError } from '../places/trusted-places.ts';
export { ConnectionError } from './connection-error.ts';
export { type ErrorCode, MaestroVaultError, type Reason, type WrongItem } from './errors.ts';
export type * from './types.ts';

export interface ConnectOptions {
  /** Default: `MAV_TOKEN`. */
  readonly token?: string;
  /**
   * What the answers are needed for: at most 200 printable characters, which the owner is shown and the audit log has.
   * Default: `MAV_PURPOSE`.
   */
  readonly purpose?: string | undefined;
  /** Default: `MAV_SOCKET`, else what config.json says, else the socket in `MAV_HOME`, in the folder of
   * the vault that `MAV_VAULT` names, or in `~/.maestrovault`. */
  readonly socketPath?: string;
  /**
   * Default: true. Before anything is sent, the socket, the folders above it and, where the kernel says it, the listener
   * must belong to this user or to root, and so must config.json; else a request rejects with UntrustedError. False: the
   * token goes to any program that listens there.
   */
  readonly checksOwner?: boolean;
}

/** A client of the daemon. It connects at the first request, and never keeps a program from ending. */
export interface VaultClient extends Client {
  /** Ends the connection, if one is open. */
  close(): void;
}

/** Throws TypeError where there is no token, and UntrustedError where config.json is another user's. */
export function connect({
  token = process.env.MAV_TOKEN,
  purpose = process.env.MAV_PURPOSE,
  socketPath,
  checksOwner = true,
}: ConnectOptions = {}): VaultClient {
  if (!token) throw new TypeError('a token is needed: connect({ token }) or MAV_TOKEN');
  const { home } = readSettings(process.env, { socket: socketPath, checksOwner });
  const transport = new SocketTransport(home.socketPath, { checksOwner });
  const client = new Client((outgoing) => transport.send(outgoing), token, purpose);
  return Object.assign(client, { close: () => transport.close() });
}

export type { Client };
