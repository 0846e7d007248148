/** `mav exec`: runs a program with secrets as environment variables. */
import { readStarted } from '../../system/started.ts';
import { findInherited } from '../process/inherited-descriptors.ts';
import { replaceProcess } from '../process/replace-process.ts';
import { collectProgramVariables } from '../project/program-variables.ts';
import type { Run } from '../run/command.ts';
import { speakSynchronously } from '../terminal/speak-synchronously.ts';
import { buildEnvironment } from '../variables/program-environment.ts';
import { findMaxEntrySize } from '../variables/variable-size.ts';

export const run: Run = async (input) => {
  // Before anything is opened.
  const inherited = findInherited();
  const started = readStarted(process.env);
  const context = speakSynchronously(input.context);
  const wishes = { maxSize: findMaxEntrySize(), hasProgram: true };
  const variables = await collectProgramVariables({ ...input, context }, wishes);
  // The stricter umask was for what mav itself writes.
  process.umask(context.umask);
  return replaceProcess(input.args, buildEnvironment(context, started, variables), { inherited, started });
};
