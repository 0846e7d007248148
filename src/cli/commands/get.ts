/** `mav get`: prints a value and nothing else. It is the command that is run most, so it loads only what it needs. */

import { readVersion } from '../input/numbers.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { orExplain } from '../vault/or-explain.ts';

export const run: Run = async (input) => {
  const [name = ''] = input.args;
  const field = input.text('field');
  const wantsEntry = input.output === 'json';
  if (input.flag('clip') && input.flag('print')) throw usageError('give one of --clip and --print');
  if (input.flag('clip')) return copyInstead(input);
  if (input.flag('clear')) throw usageError('--clear goes with --clip');
  const version = readVersion(input, 'version');
  const params = { name, env: input.environment, field, version };
  const operation =
    field === undefined
      ? wantsEntry
        ? 'secrets.get'
        : 'values.get'
      : wantsEntry
        ? 'fields.get'
        : 'fieldValues.get';
  const wanted = { name, environment: input.environment, field };
  const { body } = await withVault(input, async (client) => {
    const asked = client.request(operation, { params });
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
