/** What the word under the cursor may become: by the table of commands, and by the words before it. Pure. */
import type { Command, Option, Options } from '../command.ts';
import { splitCommand } from '../find-command.ts';
import { commands, commonOptions } from '../options.ts';
import { SHELLS } from './scripts.ts';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What only the vault knows. */
export type Lookup =
  | { readonly kind: 'names' | 'environments' | 'tokens' }
  | { readonly kind: 'fields'; readonly name: string };

export interface Plan {
  readonly candidates: readonly Candidate[];
  /** To be asked of the vault, and added. */
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
  'key-store': ['auto', 'keychain', 'passphrase', 'file'],
  scope: ['read', 'write', 'generate', 'admin'],
};

/** `before`: the words behind `mav`, without the one under the cursor. */
export function planCompletion(before: readonly string[], current: string): Plan {
  const { words, rest } = splitCommand(before);
  const command = words === null ? undefined : commands[words];
  if (command !== undefined) return planArguments(command, rest, current);
  if (before[0] === 'help') return planCommands(before.slice(1), current);
  return planCommands(before, current);
}

/** The first word of a command, or the second of one that has two. */
function planCommands(before: readonly string[], current: string): Plan {
  const found = new Map<string, string>();
  for (const [words, description] of listNames()) {
    const parts = words.split(' ');
    const next = parts[before.length];
    if (next === undefined || parts.slice(0, before.length).join(' ') !== before.join(' ')) continue;
    const isWhole = parts.length === before.length + 1;
    const others = found.get(next);
    found.set(
      next,
      isWhole ? description : others === undefined ? `… ${parts.at(-1)}` : `${others}, ${parts.at(-1)}`,
    );
  }
  if (before.length === 0) {
    found.set('help', 'Say what there is to do');
    if (current.startsWith('-'))
      found.set('--help', 'Say what there is to do').set('--version', 'Print the version');
  }
  return { ...NOTHING, candidates: [...found].map(([value, description]) => ({ value, description })) };
}

function listNames(): (readonly [string, string])[] {
  return Object.entries(commands).flatMap(([words, { aliases = [], description }]) =>
    [words, ...aliases].map((name) => [name, description] as const),
  );
}

/** What the words behind the command say. */
interface Progress {
  readonly args: readonly string[];
  readonly given: ReadonlyMap<string, string>;
  /** The option that takes the word under the cursor. */
  readonly pending: string | null;
  /** Options have ended. */
  readonly isPlain: boolean;
}

function planArguments(command: Command, rest: readonly string[], current: string): Plan {
  const options: Options = { ...command.options, ...commonOptions };
  const progress = readProgress(command, options, rest);
  const { args, given, pending, isPlain } = progress;
  if (pending !== null) return { ...planValue(pending, options[pending], args, ''), given };
  if (command.passesThrough && (isPlain || args.length > 0)) return { ...NOTHING, files: true };
  if (!isPlain && current.startsWith('-')) {
    const name = /^--([^=]+)=/.exec(current)?.[1];
    if (name === undefined) return { ...NOTHING, candidates: listOptions(options, given) };
    return { ...planValue(name, options[name], args, `--${name}=`), given };
  }
  const plan = planArgument(command, args.length);
  const isEmpty = plan.candidates.length === 0 && plan.lookup === null && !plan.files;
  // Where no argument can come an option can.
  return isEmpty && !isPlain
    ? { ...plan, candidates: listOptions(options, given), given }
    : { ...plan, given };
}

function readProgress(command: Command, options: Options, rest: readonly string[]): Progress {
  const args: string[] = [];
  const given = new Map<string, string>();
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? '';
    if (word === '--') return { args: [...args, ...rest.slice(at + 1)], given, pending: null, isPlain: true };
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      if (command.passesThrough) return { args, given, pending: null, isPlain: true };
      continue;
    }
    const { name, value } = readOption(options, word);
    if (value !== null) given.set(name, value);
    else if (options[name]?.type !== 'string') given.set(name, '');
    else if (at + 1 === rest.length) return { args, given, pending: name, isPlain: false };
    else given.set(name, rest[++at] ?? '');
  }
  return { args, given, pending: null, isPlain: false };
}

/** `--env`, `--env=prod`, `-e`, `-eprod`. */
function readOption(options: Options, word: string): { name: string; value: string | null } {
  const [, long, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (long !== undefined) return { name: long, value: value ?? null };
  const found = Object.entries(options).find(([, { short }]) => short === word[1]);
  return { name: found?.[0] ?? word, value: word.length > 2 ? word.slice(2) : null };
}

function listOptions(options: Options, given: ReadonlyMap<string, string>): Candidate[] {
  return [
    ...Object.entries(options)
      .filter(([name, { repeatable, hidden }]) => !hidden && (repeatable || !given.has(name)))
      .map(([name, { description }]) => ({ value: `--${name}`, description })),
    { value: '--help', description: 'Say what this command does' },
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
    lookup: findLookup(name, args),
    prefix,
    files: /PATH|FILE|FOLDER|DIR/.test(placeholder),
  };
}

function findLookup(option: string, [name]: readonly string[]): Lookup | null {
  if (option === 'env' || option === 'to-env') return { kind: 'environments' };
  return option === 'field' && name !== undefined ? { kind: 'fields', name } : null;
}

/** The argument of this position. */
function planArgument({ arguments: takes = '' }: Command, position: number): Plan {
  const slots = takes.split(' ').filter((slot) => slot !== '');
  const last = slots.at(-1);
  const slot = slots[position] ?? (last?.includes('...') ? last : '');
  const kind = slot.replaceAll(/[<>[\].]/g, '');
  if (/^names?$/.test(kind)) return { ...NOTHING, lookup: { kind: 'names' } };
  if (/^ids?$/.test(kind)) return { ...NOTHING, lookup: { kind: 'tokens' } };
  if (kind === 'shell')
    return { ...NOTHING, candidates: SHELLS.map((value) => ({ value, description: '' })) };
  return { ...NOTHING, files: /path|file|folder/.test(kind) };
}
