/** What the word under the cursor may become: by the table of commands, and by the words before it. Pure. */

import { commands } from '../command-table/commands.ts';
import { isGroup, listLeadingOptions, splitCommand } from '../command-table/find-command.ts';
import { commonOptions, optionsOf } from '../command-table/options.ts';
import { type Scan, scanWords } from '../run/arguments.ts';
import type { Command, Option, Options } from '../run/command.ts';
import { KEY_KINDS, KEY_STORE_NAMES } from '../vault/key-store-names.ts';
import { SHELLS } from './scripts.ts';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Candidates that only the vault has; for `vaults`, the folder of all vaults. */
export type Lookup =
  | { readonly kind: 'names' | 'deleted' | 'environments' | 'tokens' | 'keys' }
  | { readonly kind: 'fields' | 'versions'; readonly name: string }
  | { readonly kind: 'vaults' };

export interface Plan {
  readonly candidates: readonly Candidate[];
  /** Candidates to ask the vault for, beside `candidates`. */
  readonly lookup: Lookup | null;
  /** The shell's own completion of paths. */
  readonly files: boolean;
  /** What stands before the candidates of the vault in the same word: `--env=`. */
  readonly prefix: string;
  /** The values of options so far, by their long names. */
  readonly given: ReadonlyMap<string, string>;
}

const NOTHING: Plan = { candidates: [], lookup: null, files: false, prefix: '', given: new Map() };

/** Values of options that are always the same ones. */
const OPTION_VALUES: Readonly<Record<string, readonly string[]>> = {
  'key-store': KEY_STORE_NAMES,
  scope: ['read', 'write', 'generate', 'admin'],
};

/** `before`: the words behind `mav`, without the one under the cursor. */
export function planCompletion(before: readonly string[], current: string): Plan {
  const { words, rest } = splitCommand(before);
  const command = words === null ? undefined : commands[words];
  // A command with which commands of two words begin.
  if (words !== null && isGroup(words) && rest.length === 0 && !current.startsWith('-'))
    return planCommands([words]);
  if (command !== undefined) return planArguments(command, rest, current);
  const leading = listLeadingOptions();
  const { args, pending, given } = scanWords(leading, before);
  if (pending?.name)
    return { ...planValue(pending.name, leading[pending.name], [], ''), given: toMap(given) };
  if (current.startsWith('-')) return planLeadingOption(leading, toMap(given), current);
  if (args[0] === 'help') return planCommands(args.slice(1));
  return planCommands(args);
}

/** Before the command every option is taken whose command may follow, and those are offered that most have. */
function planLeadingOption(leading: Options, given: ReadonlyMap<string, string>, current: string): Plan {
  const plan = planOption(leading, given, [], current);
  if (plan.candidates.length === 0 || current.includes('=')) return plan;
  const names = [...Object.keys(commonOptions), 'env', 'output', 'help', 'version'].map(
    (name) => `--${name}`,
  );
  const version = { value: '--version', description: 'Print the version' };
  return { ...plan, candidates: [...plan.candidates, version].filter(({ value }) => names.includes(value)) };
}

/** The first word of a command, or the second of one that has two. */
function planCommands(before: readonly string[]): Plan {
  const found = new Map<string, string>();
  for (const [words, description] of listNames()) {
    const parts = words.split(' ');
    const next = parts[before.length];
    if (next === undefined || parts.slice(0, before.length).join(' ') !== before.join(' ')) continue;
    const isWhole = parts.length === before.length + 1;
    const others = found.get(next);
    // A command that is a group too is described as a command.
    if (Object.hasOwn(commands, [...before, next].join(' ')) && others !== undefined) continue;
    found.set(
      next,
      isWhole ? description : others === undefined ? `… ${parts.at(-1)}` : `${others}, ${parts.at(-1)}`,
    );
  }
  if (before.length === 0) found.set('help', 'Say what there is to do');
  return { ...NOTHING, candidates: [...found].map(([value, description]) => ({ value, description })) };
}

function listNames(): (readonly [string, string])[] {
  return Object.entries(commands).flatMap(([words, { aliases = [], description }]) =>
    [words, ...aliases].map((name) => [name, description] as const),
  );
}

function planArguments(command: Command, rest: readonly string[], current: string): Plan {
  const options = optionsOf(command);
  const scan = scanWords(options, rest, command.passesThrough);
  const { args, pending, isPlain } = scan;
  const given = toMap(scan.given);
  if (pending?.name) return { ...planValue(pending.name, options[pending.name], args, ''), given };
  if (command.passesThrough && isPlain) return { ...NOTHING, files: true };
  if (!isPlain && current.startsWith('-')) return planOption(options, given, args, current);
  const plan = planArgument(command, args);
  const isEmpty = plan.candidates.length === 0 && plan.lookup === null && !plan.files;
  // Where no argument can come an option can.
  return isEmpty && !isPlain
    ? { ...plan, candidates: listOptions(options, given), given }
    : { ...plan, given };
}

function toMap(given: Scan['given']): ReadonlyMap<string, string> {
  return new Map(given.flatMap(({ name, value }) => (name === null ? [] : [[name, value ?? '']])));
}

/** The word under the cursor is an option, perhaps with the beginning of its value. */
function planOption(
  options: Options,
  given: ReadonlyMap<string, string>,
  args: readonly string[],
  current: string,
): Plan {
  const typed = /^(--[^=]+)=/.exec(current)?.[1];
  if (typed === undefined) return { ...NOTHING, candidates: listOptions(options, given), given };
  const [found] = scanWords(options, [`${typed}=`]).given;
  const name = found?.name ?? '';
  return { ...planValue(name, options[name], args, `${typed}=`), given };
}

function listOptions(options: Options, given: ReadonlyMap<string, string>): Candidate[] {
  return [
    ...Object.entries(options)
      .filter(([name, { repeatable, hidden }]) => !hidden && (repeatable || !given.has(name)))
      .map(([name, { description }]) => ({ value: `--${name}`, description })),
    { value: '--help', description: 'Say what it does' },
  ];
}

/** The value of an option; `prefix` stands before it in the same word. */
function planValue(name: string, option: Option | undefined, args: readonly string[], prefix: string): Plan {
  const { placeholder = '' } = option ?? {};
  const values = OPTION_VALUES[name] ?? (placeholder.includes('|') ? placeholder.split('|') : []);
  const candidates = values.map((value) => ({ value: `${prefix}${value}`, description: '' }));
  return {
    ...NOTHING,
    candidates,
    lookup: findLookup(name, placeholder, args),
    prefix,
    files: /PATH|FILE|FOLDER|DIR/.test(placeholder),
  };
}

function findLookup(option: string, placeholder: string, [name]: readonly string[]): Lookup | null {
  if (option === 'vault') return { kind: 'vaults' };
  if (option === 'env' || option === 'to-env') return { kind: 'environments' };
  if (placeholder === 'VERSION') return name === undefined ? null : { kind: 'versions', name };
  return option === 'field' && name !== undefined ? { kind: 'fields', name } : null;
}

/** The argument of this position. */
function planArgument({ arguments: takes = '', namesDeleted }: Command, args: readonly string[]): Plan {
  const position = args.length;
  const slots = takes.split(' ').filter((slot) => slot !== '');
  const last = slots.at(-1);
  const slot = slots[position] ?? (last?.includes('...') ? last : '');
  const kind = slot.replaceAll(/[<>[\].]/g, '');
  if (/^names?$/.test(kind)) return { ...NOTHING, lookup: { kind: namesDeleted ? 'deleted' : 'names' } };
  if (kind === 'version' && args[0] !== undefined)
    return { ...NOTHING, lookup: { kind: 'versions', name: args[0] } };
  if (kind === 'key-id') return { ...NOTHING, lookup: { kind: 'keys' } };
  if (kind === 'key-kind')
    return { ...NOTHING, candidates: KEY_KINDS.map((value) => ({ value, description: '' })) };
  if (/^ids?$/.test(kind)) return { ...NOTHING, lookup: { kind: 'tokens' } };
  if (kind === 'shell')
    return { ...NOTHING, candidates: SHELLS.map((value) => ({ value, description: '' })) };
  return { ...NOTHING, files: /path|file|folder/.test(kind) };
}
