/** `mav env`: the variables that `mav exec` would set, for a shell to evaluate or a file to keep. */
import { collectVariables } from '../collect-variables.ts';
import type { Input, Run } from '../command.ts';
import { EXIT, usageError } from '../failure.ts';
import { findShell, formatAssignment } from '../shell-quote.ts';
import type { Variable } from '../variables.ts';

type Format = (variables: readonly Variable[]) => string | Promise<string>;

export const run: Run = async (input) => {
  const format = chooseFormat(input);
  const variables = await collectVariables(input);
  const text = await format(variables);
  if (text !== '') input.context.print(text);
  return EXIT.done;
};

function chooseFormat({ text, flag }: Input): Format {
  const form = text('output') ?? 'shell';
  if (form !== 'shell' && flag('shell')) throw usageError('--shell goes with -o shell, the default');
  if (form === 'shell') {
    const shell = findShell(text('shell') ?? 'bash');
    return (variables) => variables.map(({ name, value }) => formatAssignment(shell, name, value)).join('\n');
  }
  if (form === 'dotenv') return formatFile;
  if (form === 'json')
    return (variables) =>
      JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value])));
  throw usageError('--output must be shell, dotenv or json');
}

async function formatFile(variables: readonly Variable[]): Promise<string> {
  const { formatDotenv } = await import('../dotenv.ts');
  return variables.map(({ name, value }) => formatDotenv(name, value)).join('\n');
}
