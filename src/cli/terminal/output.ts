/** What is written to standard output piece by piece, and how wide the terminal is that shows it. */
import { once } from 'node:events';
import type { Context } from '../run/context.ts';

/** Writes one piece and waits for a reader that is slower; false once nobody reads what is written. */
export async function writePiece(context: Context, piece: string | Uint8Array): Promise<boolean> {
  if (!process.stdout.writable) return false;
  context.write(typeof piece === 'string' ? Buffer.from(piece) : piece);
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain').catch(() => {});
  return process.stdout.writable;
}

/** Waits until what was printed is written; false where it could not be, or nobody reads it. */
export function flushOutput(): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write('', (error) => resolve(!error)));
}

/** Writes all pieces, or those that are still read. */
export async function writeInTurn(context: Context, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) if (!(await writePiece(context, piece))) return;
}

/** Of running text: that of a narrow terminal, down to what is no use any more; else what everybody can read. */
const TEXT_WIDTH = 80;
const LEAST_TEXT_WIDTH = 40;

export function findTextWidth({ isOutputTerminal, env }: Context): number {
  const width = isOutputTerminal ? findTerminalWidth(env) : null;
  return Math.max(LEAST_TEXT_WIDTH, Math.min(width ?? TEXT_WIDTH, TEXT_WIDTH));
}

/** In columns; null where the terminal does not say. */
export function findTerminalWidth({ COLUMNS }: NodeJS.ProcessEnv): number | null {
  return process.stdout.columns || Number(COLUMNS) || null;
}
