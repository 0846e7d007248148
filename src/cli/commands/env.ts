/** `mav env`: the variables that `mav exec` would set, for a shell to evaluate or a file to keep. */
import { collectVariables } from '../collect-variables.ts';
import type { Input, Run } from '../command.ts';
import { EXIT, usageError } from '../failure.ts';
import { findShell, formatAssignment } from '../shell-quote.ts';
import type { Variable } from '../variables.ts';

type Format = (variables: readonly Variable[], say: (text: string) => void) => string;

export const run: Run = async (input) => {
  const format = await chooseFormat(input);
  const variables = await collectVariables(input);
  const text = format(variables, input.context.say);
  if (text !== '') input.context.print(text);
  return EXIT.done;
};

async function chooseFormat({ text, flag, output: form }: Input): Promise<Format> {
  if (form !== 'shell' && flag('shell')) throw usageError('--shell goes with -o shell, the default');
  if (form === 'shell') {
    const shell = findShell(text('shell') ?? 'bash');
    return (variables) => variables.map(({ name, value }) => formatAssignment(shell, name, value)).join('\n');
  }
  if (form === 'json')
    return (variables) =>
      JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value])));
  const { formatVariables } = await import('../variable-file.ts');
  const fileForm = form === 'docker' ? form : 'dotenv';
  return (variables, say) => formatVariables(fileForm, variables, say).slice(0, -1);
}
