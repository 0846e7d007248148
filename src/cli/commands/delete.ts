/** `mav delete`: a secret with its fields, or one field. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { describeSecret } from '../describe.ts';
import { EXIT } from '../failure.ts';

export const run: Run = async (input) => {
  const { context, environment, text } = input;
  const [name = ''] = input.args;
  const field = text('field');
  const what = describeSecret(name, environment, field);
  await confirm(input, `Delete ${what} for ever?`);
  await withVault(input, (client) =>
    field === undefined
      ? client.deleteSecret(name, { environment })
      : client.deleteField(name, field, { environment }),
  );
  context.say(`Deleted ${what}.`);
  return EXIT.done;
};
