/** Writing to standard output piece by piece, and the width of the terminal. */
import type { Context } from '../run/context.ts';

/** Writes one piece, and waits for a slower reader. Returns false once the reader has gone away. */
export function writePiece(context: Context, piece: string | Uint8Array): Promise<boolean> {
  context.write(piece);
  return context.flushed();
}

/** Writes all pieces, or those that are still read. */
export async function writeInTurn(context: Context, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) if (!(await writePiece(context, piece))) return;
}

/** Columns of running text: the terminal's width within these bounds. */
const TEXT_WIDTH = 80;
const LEAST_TEXT_WIDTH = 40;

export function findTextWidth({ isOutputTerminal, env }: Context): number {
  const width = isOutputTerminal ? findTerminalWidth(env) : null;
  return Math.max(LEAST_TEXT_WIDTH, Math.min(width ?? TEXT_WIDTH, TEXT_WIDTH));
}

/** Returns columns; null if the terminal does not say. */
export function findTerminalWidth({ COLUMNS }: NodeJS.ProcessEnv): number | null {
  return process.stdout.columns || Number(COLUMNS) || null;
}
