/**
 * Sends a response piece by piece. Asks for the next piece when the kernel has taken the one before, so a client that reads
 * slowly, or not at all, holds only one piece in memory. Zeroes each piece when the kernel has it.
 */
import type { ServerResponse } from 'node:http';
import type { ClientConnection } from './client-connection.ts';
import { HttpError } from './errors.ts';
import type { HttpResponse } from './http-response.ts';

/** A response that is sent in several pieces. */
export type ListResponse = Exclude<HttpResponse, { rest: null }>;

type Bytes = Uint8Array<ArrayBuffer>;

/** The connection, which is charged for the piece that is being sent. */
type Holding = Pick<ClientConnection, 'hold' | 'release'>;

/**
 * Resolves with null when all is sent or the client is gone. If the list breaks off, resolves with the error's code and
 * closes the connection before the last chunk, so that no client takes its part for the whole (RFC 9112 section 8). Calls
 * `onTaken` whenever the kernel has taken a piece and there is another one. `message`: Node's own object for the response.
 */
export async function sendInPieces(
  message: ServerResponse,
  method: string,
  { status, headers, body, rest }: ListResponse,
  holding: Holding,
  onTaken: () => void,
): Promise<string | null> {
  message.writeHead(status, headers);
  try {
    // The head is all that HEAD asks for.
    if (method === 'HEAD') body.fill(0);
    else if (!(await writePieces(message, body, rest, holding, onTaken))) return null;
    message.end();
    return null;
  } catch (error) {
    message.destroy();
    return error instanceof HttpError ? error.code : 'internal';
  }
}

/** Resolves with true when the kernel has taken all pieces, with false once the client is gone. */
async function writePieces(
  message: ServerResponse,
  first: Bytes,
  rest: ListResponse['rest'],
  holding: Holding,
  onTaken: () => void,
): Promise<boolean> {
  if (!(await writePiece(message, first, holding))) return false;
  for await (const piece of rest) {
    onTaken();
    if (!(await writePiece(message, piece, holding))) return false;
  }
  return true;
}

/**
 * Resolves with true when the kernel has taken the piece, with false once the client is gone. Gives the piece's memory back
 * then: until the next garbage collection, the pieces of a long list would add up.
 */
function writePiece(message: ServerResponse, piece: Bytes, holding: Holding): Promise<boolean> {
  const { socket } = message.req;
  const { length } = piece;
  holding.hold(length);
  return new Promise<boolean>((resolve) => {
    if (message.destroyed || !socket.writable) return resolve(false);
    // A response that waits behind another one is not told of the connection's end, and its callback is not called.
    const leave = () => resolve(false);
    socket.once('close', leave);
    message.write(piece, (error) => {
      socket.off('close', leave);
      resolve(error === null || error === undefined);
    });
  }).finally(() => {
    piece.fill(0);
    piece.buffer.transfer(0);
    holding.release(length);
  });
}
