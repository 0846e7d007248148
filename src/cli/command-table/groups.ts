/**
 * The table of commands: words, arguments, options and examples of each, and the file that has its code. A group is built when it
 * is asked for, because building all of them takes as long as a tenth of a short command.
 */
import type { CommandGroup } from '../run/command.ts';
import { auditCommands } from './audit.ts';
import { historyCommands } from './history.ts';
import { programCommands } from './program.ts';
import { projectCommands } from './project.ts';
import { secretCommands } from './secrets.ts';
import { tokenCommands } from './tokens.ts';
import { transferCommands } from './transfer.ts';
import { useCommands } from './use-secrets.ts';
import { vaultCommands } from './vault.ts';

/** In the order in which help lists them. The first has most of the everyday commands. */
const BUILDERS = [
  secretCommands,
  historyCommands,
  useCommands,
  projectCommands,
  transferCommands,
  vaultCommands,
  tokenCommands,
  auditCommands,
  programCommands,
];
const built: CommandGroup[] = [];

export function* listGroups(): Generator<CommandGroup> {
  for (const [index, build] of BUILDERS.entries()) {
    built[index] ??= build();
    yield built[index];
  }
}
