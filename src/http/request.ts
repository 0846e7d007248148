import type { IsWanted } from '../call-result.ts';
import type { Body } from './body.ts';
import type { Holder } from './client-connection.ts';

/** A request to answer, from a socket or from a command in this process. */
export interface Request {
  /** Returns whether the client is still connected. */
  readonly isWanted: IsWanted;
  readonly method: string;
  /** The request target: path and query, percent-encoded. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly requestId: string | undefined;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** The `X-Purpose` request header, unchecked. */
  readonly purpose: string | undefined;
  /** The `X-Approval` request header, unchecked. */
  readonly approval: string | undefined;
  /** The JSON of the Asker that sent it; null where the kernel does not say. */
  readonly asker: string | null;
  /** The event after which a stream goes on; absent or empty: it starts now. */
  readonly lastEventId?: string | undefined;
  /** Gets the id of the principal once the principal may use the route. */
  readonly client?: { holder: Holder };
  /** Resolves with at most `maxSize` bytes; with null where there is no body. */
  readBody(maxSize: number): Promise<Body | null>;
  /** Calls the listener if the client goes away before the response. */
  onGone(listener: () => void): void;
  /** Calls the listener when the connection ends. Returns how to stop listening. */
  onDisconnect(listener: () => void): () => void;
}
