/** `mav delete`: a secret with its fields, or one field. */
import type { Client } from '../../client/client.ts';
import { withVault } from '../access.ts';
import type { Input, Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { describeSecret } from '../describe.ts';
import { EXIT } from '../failure.ts';
import type { Wanted } from '../missing.ts';
import { orExplain } from '../or-explain.ts';

export const run: Run = async (input) => {
  const { context, environment, text } = input;
  const [name = ''] = input.args;
  const field = text('field');
  const what = describeSecret(name, environment, field);
  const wanted = { name, environment, field };
  // Nobody is asked about what is not there; the vault is closed again while they think.
  if (!input.flag('force')) await withVault(input, (client) => checkThere(input, client, wanted));
  await confirm(input, `Delete ${what} for ever?`);
  await withVault(input, (client) => {
    const asked =
      field === undefined
        ? client.deleteSecret(name, { environment })
        : client.deleteField(name, field, { environment });
    return orExplain(input, client, wanted, asked);
  });
  context.say(`Deleted ${what}.`);
  return EXIT.done;
};

/** Throws CliError where it is not there; a token that may not read gets to know that when it deletes. */
async function checkThere(input: Input, client: Client, wanted: Wanted): Promise<void> {
  const { name, environment, field } = wanted;
  try {
    const fields = await orExplain(input, client, wanted, client.listFieldNames(name, { environment }));
    if (field === undefined || fields.includes(field)) return;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'forbidden') return;
    throw error;
  }
  const { explainMissing } = await import('../missing.ts');
  throw await explainMissing(input, client, [wanted]);
}
