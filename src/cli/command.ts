/** What a command is made of: the table of commands is filled with these, and each command is given an Input. */
import type { Context } from './context.ts';
import type { ExitCode } from './failure.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** As help shows it: `--key-store KIND`. */
  readonly placeholder?: string;
  readonly description: string;
}

/** What a command gets: its arguments, and its options by their long names. */
export interface Input {
  readonly context: Context;
  /** The command's full name. */
  readonly command: string;
  readonly args: readonly string[];
  readonly text: (option: string) => string | undefined;
  readonly flag: (option: string) => boolean;
}

export type Run = (input: Input) => Promise<ExitCode>;

export interface Command {
  readonly aliases?: readonly string[];
  /** cac's notation: `<id>` required, `[id]` optional. */
  readonly arguments?: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  readonly load: () => Promise<{ readonly run: Run }>;
}
