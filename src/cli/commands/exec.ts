/** `mav exec`: runs a program with secrets as environment variables. */
import { writeSync } from 'node:fs';
import { readStarted, START_VARIABLE, type Started } from '../../system/started.ts';
import { escapeLines } from '../../text/escape-controls.ts';
import { findInherited } from '../process/inherited-descriptors.ts';
import { replaceProcess } from '../process/replace-process.ts';
import type { Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { OUTPUT_VARIABLE } from '../terminal/closed-output.ts';
import { collectVariables } from '../variables/collect-variables.ts';
import { findMaxEntrySize } from '../variables/variable-size.ts';
import type { Variable } from '../variables/variables.ts';

export const run: Run = async (input) => {
  // Before anything is opened.
  const inherited = findInherited();
  const started = readStarted(process.env);
  const context = speakSynchronously(input.context);
  const variables = await collectVariables({ ...input, context }, findMaxEntrySize());
  // The stricter umask was for what mav itself writes.
  process.umask(context.umask);
  const own = readEnvironment(context.env, started);
  noteChanged(context, own, variables);
  return replaceProcess(input.args, { ...own, ...toEnvironment(variables) }, { inherited, started });
};

/** Leaves out the variables of mav.sh, and restores those that its shell dropped. */
function readEnvironment(env: NodeJS.ProcessEnv, started: Started | null): NodeJS.ProcessEnv {
  if (started?.environment) return parseEnvironment(started.environment);
  const { [START_VARIABLE]: _start, [OUTPUT_VARIABLE]: _output, ...rest } = env;
  return rest;
}

/** Keeps the order. Of several variables with one name the first counts, as for getenv(3). */
function parseEnvironment(bytes: Buffer): NodeJS.ProcessEnv {
  const entries = bytes.toString().split('\0').slice(0, -1);
  // A variable may have any name, also one that an ordinary object has of itself.
  const env: NodeJS.ProcessEnv = Object.create(null);
  for (const entry of entries) {
    const end = entry.indexOf('=', 1);
    if (end > 0) env[entry.slice(0, end)] ??= entry.slice(end + 1);
  }
  return env;
}

function toEnvironment(variables: readonly Variable[]): NodeJS.ProcessEnv {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

/** A stream of Node's own would leave a pipe non-blocking, and the program with it. */
function speakSynchronously(context: Context): Context {
  const write = (text: string) => {
    try {
      writeSync(2, `${escapeLines(text)}\n`);
    } catch {
      // Standard error is closed.
    }
  };
  return { ...context, complain: write, say: context.isQuiet ? () => {} : write };
}

/** Node decodes the environment as UTF-8 and replaces other bytes by U+FFFD. */
function noteChanged({ say }: Context, env: NodeJS.ProcessEnv, variables: readonly Variable[]): void {
  const replaced = new Set(variables.map(({ name }) => name));
  const changed = Object.entries(env).filter(
    ([name, value]) => `${name}${value}`.includes('\ufffd') && !replaced.has(name),
  );
  if (changed.length > 0)
    say(`Note: not UTF-8, and changed for the program: ${changed.map(([name]) => name).join(', ')}`);
}
