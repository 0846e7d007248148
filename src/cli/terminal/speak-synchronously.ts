/** Notes of a command that shares its standard error with a program that it runs. */
import { writeSync } from 'node:fs';
import { escapeLines } from '../../text/escape-controls.ts';
import type { Context } from '../run/context.ts';

/** A stream of Node's own would leave a pipe non-blocking, and the program with it. */
export function speakSynchronously(context: Context): Context {
  const write = (text: string) => {
    try {
      writeSync(2, `${escapeLines(text)}\n`);
    } catch {
      // Standard error is closed.
    }
  };
  return { ...context, complain: write, say: context.isQuiet ? () => {} : write };
}
