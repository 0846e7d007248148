/**
 * Sends an answer piece by piece: the next one is asked for when the kernel has taken the one before, so a client that
 * reads slowly, or not at all, holds one piece in memory and no more. Each is zeroed when it has been handed on.
 */
import type { ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';
import { HttpError } from './errors.ts';
import type { Holding } from './held-memory.ts';

/**
 * Resolves when all is sent, the client is gone, or the answer has broken off: then with the error's code, and the
 * connection is cut before the last chunk, so that no client takes what it has for the whole (RFC 9112 section 8).
 * `onTaken` is told whenever the kernel has taken a piece and there is another one.
 */
export async function streamAnswer(
  response: ServerResponse,
  method: string,
  { status, headers, body, rest }: Answer,
  holding: Holding,
  onTaken: () => void,
): Promise<string | null> {
  response.writeHead(status, headers as string[]);
  // What HEAD asks is answered by now; of the list, it is nothing but the length that is not known.
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

/** Whether the kernel has taken it; false once the client is gone. */
function writePiece(response: ServerResponse, piece: Uint8Array, holding: Holding): Promise<boolean> {
  const { socket } = response.req;
  const { length } = piece;
  holding.hold(length);
  return new Promise<boolean>((resolve) => {
    if (response.destroyed || !socket.writable) return resolve(false);
    // A response that waits behind another one hears of no end of the connection, nor does its callback.
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

/** Gives the memory back now: until the next garbage collection, a long list's pieces would add up. */
function free({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer(0);
}
