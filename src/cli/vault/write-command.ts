/** Commands that a message tells the user to type: complete, quoted, and about just these secrets. */
import { quoteWord } from '../formats/shell-quote.ts';
import { formatReference } from '../input/reference.ts';
import type { Input } from '../run/command.ts';

/** Where a secret is; its environment is empty or undefined for the default one. */
export interface At {
  readonly name: string;
  readonly environment?: string | undefined;
}

/** Returns `mav undelete db-password --env prod`. `verb`: the command's name. */
export function writeCommand(input: Input, verb: string, places: readonly At[]): string {
  const environments = new Set(places.map(({ environment = '' }) => environment));
  const [environment = ''] = environments;
  const names = places.map(({ name }) => name);
  // Without --env, MAV_ENV or config.json could name another environment than the default one.
  const isDefault = !input.environment && input.text('env') === undefined;
  const isPlain = environments.size === 1 && (environment !== '' || isDefault);
  if (!isPlain || names.some((name) => name.startsWith('-')))
    return ['mav', verb, ...places.map(writeReference)].join(' ');
  const option = environment === '' ? [] : ['--env', quoteWord(environment)];
  return ['mav', verb, ...names.map(quoteWord), ...option].join(' ');
}

function writeReference({ name, environment = '' }: At): string {
  return quoteWord(formatReference({ name, environment }));
}
