/** `mav env`: the variables that `mav exec` would set, for a shell to evaluate or a file to keep. */

import { findShell, formatAssignment } from '../formats/shell-quote.ts';
import { collectProgramVariables } from '../project/program-variables.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, usageError } from '../run/failure.ts';
import { findMaxEntrySize } from '../variables/variable-size.ts';
import type { Variable } from '../variables/variables.ts';

interface Format {
  readonly format: (variables: readonly Variable[], say: (text: string) => void) => string;
  /** The most bytes that a variable may have; absent where it goes into a file or a pipe, and into no environment. */
  readonly maxSize?: number;
}

export const run: Run = async (input) => {
  const { format, maxSize } = await chooseFormat(input);
  if (input.context.isOutputTerminal && !input.flag('reveal'))
    throw usageError(
      'this would show secrets on the screen; write eval "$(mav env)", a pipe or a file, or give --reveal',
    );
  const wishes = { maxSize: maxSize ?? Number.POSITIVE_INFINITY, hasProgram: false };
  const variables = await collectProgramVariables(input, wishes);
  const text = format(variables, input.context.say);
  if (text !== '') input.context.print(text);
  return EXIT.done;
};

async function chooseFormat({ text, flag, output: form }: Input): Promise<Format> {
  if (form !== 'shell' && flag('shell')) throw usageError('--shell goes with -o shell, the default');
  if (form === 'shell') {
    const shell = findShell(text('shell') ?? 'bash');
    return {
      format: (variables) =>
        variables.map(({ name, value }) => formatAssignment(shell, name, value)).join('\n'),
      // With a longer one that shell could start nothing any more.
      maxSize: findMaxEntrySize(),
    };
  }
  if (form === 'json')
    return {
      format: (variables) =>
        JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value]))),
    };
  const { formatVariables } = await import('../variables/variable-file.ts');
  const fileForm = form === 'docker' ? form : 'dotenv';
  return { format: (variables, say) => formatVariables(fileForm, variables, say).slice(0, -1) };
}
