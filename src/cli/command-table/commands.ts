/** The table of commands: words, arguments, options and examples of each, and the file that has its code. */
import type { Command } from '../run/command.ts';
import { historyCommands } from './history.ts';
import { programCommands } from './program.ts';
import { secretCommands } from './secrets.ts';
import { tokenCommands } from './tokens.ts';
import { transferCommands } from './transfer.ts';
import { useCommands } from './use-secrets.ts';
import { vaultCommands } from './vault.ts';

/** In the order in which help lists them. */
export const commands: Readonly<Record<string, Command>> = {
  ...secretCommands,
  ...historyCommands,
  ...useCommands,
  ...transferCommands,
  ...vaultCommands,
  ...tokenCommands,
  ...programCommands,
};
