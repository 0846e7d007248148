/** `mav exec`: runs a program with secrets as environment variables. */
import { writeSync } from 'node:fs';
import { collectVariables } from '../collect-variables.ts';
import type { Run } from '../command.ts';
import type { Context } from '../context.ts';
import { replaceProcess } from '../replace-process.ts';
import { findMaxEntrySize } from '../variable-size.ts';
import type { Variable } from '../variables.ts';

export const run: Run = async (input) => {
  const context = speakSynchronously(input.context);
  const variables = await collectVariables({ ...input, context }, findMaxEntrySize());
  noteInherited(context, variables);
  // Ours was for what mav itself writes.
  process.umask(context.umask);
  return replaceProcess(input.args, { ...context.env, ...toEnvironment(variables) });
};

function toEnvironment(variables: readonly Variable[]): NodeJS.ProcessEnv {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

/** A stream of Node's own would leave a pipe non-blocking, and the program with it. */
function speakSynchronously(context: Context): Context {
  const write = (text: string) => {
    try {
      writeSync(2, `${text}\n`);
    } catch {
      // Nobody listens.
    }
  };
  return { ...context, complain: write, say: context.isQuiet ? () => {} : write };
}

/** Node reads and writes the environment as UTF-8, and has put U+FFFD in the place of what is none. */
function noteInherited({ env, say }: Context, variables: readonly Variable[]): void {
  const replaced = new Set(variables.map(({ name }) => name));
  const changed = Object.entries(env).filter(
    ([name, value]) => `${name}${value}`.includes('\ufffd') && !replaced.has(name),
  );
  if (changed.length > 0)
    say(`Note: not UTF-8, and changed for the program: ${changed.map(([name]) => name).join(', ')}`);
}
