/** `mav get`: prints a value and nothing else. It is the command that is run most, so it loads only what it needs. */

import { readVersion } from '../input/numbers.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { orExplain } from '../vault/or-explain.ts';

const OPERATIONS = {
  entry: { secret: 'secrets.get', field: 'fields.get' },
  value: { secret: 'values.get', field: 'fieldValues.get' },
} as const;

export const run: Run = async (input) => {
  if (input.flag('clip') && input.flag('print')) throw usageError('give one of --clip and --print');
  if (input.flag('clip')) return copyInstead(input);
  if (input.flag('clear')) throw usageError('--clear goes with --clip');
  const { args, environment, output } = input;
  const [name = ''] = args;
  const field = input.text('field');
  const version = readVersion(input, 'version');
  const wantsEntry = output === 'json';
  const operation = OPERATIONS[wantsEntry ? 'entry' : 'value'][field === undefined ? 'secret' : 'field'];
  const wanted = { name, environment, field };
  const { body } = await withVault(input, async (client) => {
    const asked = client.request(operation, { params: { name, env: environment, field, version } });
    if (version === undefined) return orExplain(input, client, wanted, asked);
    const { orExplainVersion } = await import('../vault/missing-version.ts');
    return orExplainVersion(input, client, { ...wanted, version }, asked);
  });
  if (wantsEntry) input.context.printJson(body);
  else if (input.context.isOutputTerminal) await showOnTerminal(input, body);
  else input.context.write(body);
  return EXIT.done;
};

async function showOnTerminal({ context }: Input, value: Uint8Array): Promise<void> {
  const { showValue } = await import('../terminal/terminal-value.ts');
  context.print(showValue(value));
}

async function copyInstead(input: Input): Promise<ExitCode> {
  if (input.flag('output')) throw usageError('--clip copies the value; it does not go with --output');
  if (input.flag('version'))
    throw usageError('--clip copies the current value; it does not go with --version');
  const { copySecret } = await import('../clipboard/copy-secret.ts');
  return copySecret(input);
}
