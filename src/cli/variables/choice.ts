/** Which secrets the options of `mav exec` and its kin choose. */
import type { SecretName } from '../../../workers/messages.ts';
import { VARIABLE_NAME } from '../formats/shell-quote.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { readEnvFile } from './env-file.ts';

/** The secrets that the options choose. */
export interface Choice {
  /** The default environment, and on top of it the named one. */
  readonly environments: readonly string[];
  readonly prefix: string;
  readonly only: readonly string[] | null;
  readonly except: readonly string[];
  /** In lower case. */
  readonly filter: string | undefined;
}

/** Throws CliError. */
export function readChoice(input: Input): Choice {
  const prefix = input.text('prefix') ?? '';
  if (prefix !== '' && !VARIABLE_NAME.test(prefix))
    throw usageError('--prefix takes ASCII letters, digits and underscores, and no digit first');
  const filter = input.text('filter')?.toLowerCase();
  if (filter === '') throw usageError('--filter needs a text that names contain');
  const only = readNames(input, 'only');
  const except = readNames(input, 'except') ?? [];
  const both = only?.find((name) => except.includes(name));
  if (both !== undefined) throw usageError(`${both} is in --only and in --except; leave it out of one`);
  const environments = input.environment ? ['', input.environment] : [''];
  return { environments, prefix, only, except, filter };
}

function readNames({ flag, list }: Input, option: 'only' | 'except'): string[] | null {
  if (!flag(option)) return null;
  const names = list(option).flatMap((value) => value.split(','));
  if (names.includes('')) throw usageError(`--${option} takes names of secrets, with commas between them`);
  return [...new Set(names)];
}

export function isChosen(name: string, except: readonly string[], filter: string | undefined): boolean {
  return !except.includes(name) && (filter === undefined || name.toLowerCase().includes(filter));
}

/** Returns whether the options choose a secret of this name, whether it is there or not. Throws CliError. */
export function makeChooser(input: Input): (secret: SecretName) => boolean {
  const path = input.text('env-file');
  if (path !== undefined) {
    const lines = readEnvFile({ ...input.context, say: () => {} }, path);
    return (secret) =>
      lines.some(
        ({ value }) =>
          typeof value !== 'string' && value.name === secret.name && value.environment === secret.environment,
      );
  }
  const { environments, only, except, filter } = readChoice(input);
  return ({ name, environment }) =>
    environments.includes(environment) &&
    (only === null || only.includes(name)) &&
    isChosen(name, except, filter);
}
