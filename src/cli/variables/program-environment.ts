/** The environment of a program that gets secrets: ours, with the variables of the secrets in it. */

import { START_VARIABLE, type Started } from '../../system/started.ts';
import type { Context } from '../run/context.ts';
import { OUTPUT_VARIABLE } from '../terminal/closed-output.ts';
import type { Variable } from './variables.ts';

/** Notes what is changed for the program because it is not UTF-8. */
export function buildEnvironment(
  context: Context,
  started: Started | null,
  variables: readonly Variable[],
): NodeJS.ProcessEnv {
  const own = readEnvironment(context.env, started);
  noteChanged(context, own, variables);
  return { ...own, ...toEnvironment(variables) };
}

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

/** Node decodes the environment as UTF-8 and replaces other bytes by U+FFFD. */
function noteChanged({ say }: Context, env: NodeJS.ProcessEnv, variables: readonly Variable[]): void {
  const replaced = new Set(variables.map(({ name }) => name));
  const changed = Object.entries(env).filter(
    ([name, value]) => `${name}${value}`.includes('\ufffd') && !replaced.has(name),
  );
  if (changed.length > 0)
    say(`Note: not UTF-8, and changed for the program: ${changed.map(([name]) => name).join(', ')}`);
}
