/**
 * Sends a response piece by piece. The next piece is asked for when the kernel has taken the one before, so a client that
 * reads slowly, or not at all, holds only one piece in memory. Each piece is zeroed when it has been handed on.
 */
import type { ServerResponse } from 'node:http';
import type { HttpResponse } from './answer-request.ts';
import type { ClientConnection } from './client-connection.ts';
import { HttpError } from './errors.ts';

/** Charged for the piece that is being sent. */
type Holding = Pick<ClientConnection, 'hold' | 'release'>;

/**
 * Resolves with null when all is sent or the client is gone. If the list breaks off, resolves with the error's code: the
 * connection is closed before the last chunk, so that no client takes what it has for the whole (RFC 9112 section 8).
 * Calls `onTaken` whenever the kernel has taken a piece and there is another one.
 */
export async function sendInPieces(
  response: ServerResponse,
  method: string,
  { status, headers, body, rest }: HttpResponse,
  holding: Holding,
  onTaken: () => void,
): Promise<string | null> {
  response.writeHead(status, headers as string[]);
  // The head is all that HEAD asks for.
  if (method === 'HEAD' || rest === null) {
    body.fill(0);
    response.end();
    return null;
  }
  try {
    const isBegun = await writePiece(response, body, holding);
    free(body);
    if (!isBegun) return null;
    for await (const piece of rest) {
      onTaken();
      const isTaken = await writePiece(response, piece, holding);
      free(piece);
      if (!isTaken) return null;
    }
    response.end();
    return null;
  } catch (error) {
    response.destroy();
    return error instanceof HttpError ? error.code : 'internal';
  }
}

/** Resolves with true when the kernel has taken the piece, with false once the client is gone. */
function writePiece(response: ServerResponse, piece: Uint8Array, holding: Holding): Promise<boolean> {
  const { socket } = response.req;
  const { length } = piece;
  holding.hold(length);
  return new Promise<boolean>((resolve) => {
    if (response.destroyed || !socket.writable) return resolve(false);
    // A response that waits behind another one hears nothing of the connection's end, nor does its callback.
    const leave = () => resolve(false);
    socket.once('close', leave);
    response.write(piece, (error) => {
      socket.off('close', leave);
      resolve(error === null || error === undefined);
    });
  }).finally(() => {
    piece.fill(0);
    holding.release(length);
  });
}

/** Gives the memory back now: until the next garbage collection, the pieces of a long list would add up. */
function free({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer(0);
}
