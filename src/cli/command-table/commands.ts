/** The whole table of commands, for help, completion and what is said of mistyped words. Others ask find-command.ts for one. */
import type { CommandGroup } from '../run/command.ts';
import { listGroups } from './groups.ts';

/** In the order in which help lists them. */
export const commands: CommandGroup = Object.assign({}, ...listGroups());
