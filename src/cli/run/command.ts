/** The parts of a command: its entry in the table, and the Input that each run of it is given. */
import type { Home } from '../../places/home.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './failure.ts';

/**
 * The forms in which commands print, as `-o` and "output" in config.json name them.
 * For people: `table` for lists, `text` elsewhere, or a `value` alone. For programs: `json`, `jsonl` (one JSON object a line),
 * lines of `plain` text with tabs between the columns, or `names` alone. Of variables: `shell`, `dotenv` and `docker`.
 */
export type Form =
  | 'table'
  | 'text'
  | 'value'
  | 'json'
  | 'jsonl'
  | 'plain'
  | 'names'
  | 'shell'
  | 'dotenv'
  | 'docker';

/** Where a secret or a field of one is stored. Written as `mav://ENV/NAME#FIELD` (input/reference.ts). */
export interface Reference {
  /** Empty for the default environment. */
  readonly environment: string;
  readonly name: string;
  /** Absent for the secret's own value. */
  readonly field?: string;
}

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Other names, which help leaves out. */
  readonly aliases?: readonly string[];
  /** Its value is one of a few words, and may be typed in capitals. */
  readonly ignoresCase?: boolean;
  /** As help shows it: `--key-store KIND`. */
  readonly placeholder?: string;
  readonly description: string;
  /** What is said where its value is missing; absent: that it needs one. */
  readonly ifMissing?: string;
  /** It may be given more than once. */
  readonly repeatable?: boolean;
  /** The forms that `--output` may name, the usual one first. If absent, its value means something else. */
  readonly forms?: readonly Form[];
  /** The usual form of a list if standard output is not a terminal. */
  readonly formInPipe?: Form;
  /** Accepted because other programs have it; neither help nor completion shows it. */
  readonly hidden?: boolean;
}

export type Options = Readonly<Record<string, Option>>;

/** What a command gets: its arguments, and its options by their long names. */
export interface Input {
  readonly context: Context;
  /** The command's full name. */
  readonly command: string;
  readonly args: readonly string[];
  /** The reference that stood in the place of the first name; its parts are in the arguments and options too. */
  readonly referred: Reference | null;
  /** An option's value; undefined where it was not given. */
  readonly text: (option: string) => string | undefined;
  /** The values of an option that may be repeated, in their order. */
  readonly list: (option: string) => readonly string[];
  readonly flag: (option: string) => boolean;
  /** Where the vault is, by flags, environment and config.json. */
  readonly home: Home;
  /** The environment to work in, by flag, MAV_ENV or config.json; undefined where nothing names one. */
  readonly environment: string | undefined;
  /** The form of the output: one of those that the command's `--output` takes. */
  readonly output: Form;
  /** Environments that no project may name unless the user allowed it. */
  readonly protectedEnvironments: readonly string[];
  /** A key of config.json that no other property stands for. */
  readonly clearAfter: string | undefined;
}

export type Run = (input: Input) => Promise<ExitCode>;

/** The headings of `mav --help`, in their order. */
export const GROUPS = [
  'Secrets',
  'What they were',
  'Use them',
  'Projects',
  'In and out',
  'Vault',
  'Tokens and keys',
  'Who did what',
  'Program',
] as const;

export interface Command {
  readonly group: (typeof GROUPS)[number];
  readonly aliases?: readonly string[];
  /** `<id>` required, `[id]` optional, `[...paths]` any number. */
  readonly arguments?: string;
  /** Options end at the first argument: what follows is another program's. */
  readonly passesThrough?: boolean;
  /** Its names are those of deleted secrets, for completion. */
  readonly namesDeleted?: boolean;
  /** It runs although config.json cannot be followed, because it reports that. */
  readonly toleratesConfig?: boolean;
  /** Its exit code alone may be wanted, so it runs with standard output closed. */
  readonly answersByExitCode?: boolean;
  /** It needs no vault, and runs even if nothing says where the vault is. */
  readonly needsNoVault?: boolean;
  readonly description: string;
  /** More that help says, a paragraph each. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
  readonly options: Options;
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** Commands by their names: one word, or two with a space between them. */
export type CommandGroup = Readonly<Record<string, Command>>;
