/** A reference, `mav://ENV/NAME#FIELD`, where a command takes the name of a secret: it says the place as well. */
import type { Arguments } from '../run/arguments.ts';
import type { Command, Options, Reference } from '../run/command.ts';
import { usageError } from '../run/failure.ts';
import { parseReference, SCHEME } from './reference.ts';

/** The environment and the field that options give; undefined if they give none. */
interface Beside {
  readonly env: string | undefined;
  readonly field: string | undefined;
}

/** Throws CliError for a malformed one, and if `--env` (or the option of that purpose) or `--field` says something else. */
export function readReference(typed: string, beside: Beside, envOption = 'env'): Reference {
  const reference = parseReference(typed);
  if (reference === null)
    throw usageError('the name is no reference: mav://ENV/NAME#FIELD, other characters percent-encoded');
  for (const [option, given, said] of [
    [envOption, beside.env, reference.environment],
    ['field', beside.field, reference.field],
  ])
    if (given !== undefined && said !== undefined && given !== said)
      throw usageError(`the reference and --${option} contradict each other; leave --${option} out`);
  return reference;
}

export function isReference(typed: string): boolean {
  return typed.startsWith(SCHEME);
}

/** The words with the name alone in the place of a reference, and its environment and field as options. */
export function applyReferences(
  words: string,
  { arguments: takes = '' }: Command,
  options: Options,
  { args, values }: Arguments,
): Arguments {
  const slots = takes.split(' ');
  const changed = new Map(values);
  let referred: Reference | null = null;
  const names = args.map((typed, at) => {
    const isNew = slots[at] === '<new-name>';
    if (!isReference(typed) || !(isNew || slots[at] === '<name>')) return typed;
    const option = isNew ? 'to-env' : 'env';
    const beside = { env: findText(values, option), field: findText(values, 'field') };
    const reference = readReference(typed, beside, option);
    if (reference.field !== undefined && (isNew || !Object.hasOwn(options, 'field')))
      throw usageError(`mav ${words} takes a whole secret, not one field of it; leave #… out`);
    changed.set(option, [reference.environment]);
    if (reference.field !== undefined) changed.set('field', [reference.field]);
    referred ??= isNew ? null : reference;
    return reference.name;
  });
  return { args: names, values: changed, referred };
}

function findText(values: Arguments['values'], option: string): string | undefined {
  return values.get(option)?.find((value) => typeof value === 'string');
}
