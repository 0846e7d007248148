/** `mav set`: stores a secret or a field. */
import type { Client } from '../../client/client.ts';
import { withVault } from '../access.ts';
import type { Input, Run } from '../command.ts';
import { describeSecret } from '../describe.ts';
import { EXIT, usageError } from '../failure.ts';
import { parseMetadata } from '../metadata.ts';
import { readWhole } from '../numbers.ts';
import { findSource, readValue } from '../value-source.ts';

const MAX_LENGTH = 4_096;

export const run: Run = async (input) => {
  const { context, environment, text } = input;
  const [name = ''] = input.args;
  const field = text('field');
  if (field !== undefined && input.flag('metadata'))
    throw usageError('--metadata belongs to a secret, not to a field; set it without --field');
  const metadata = input.flag('metadata') ? parseMetadata(input.list('metadata')) : undefined;
  const what = describeSecret(name, environment, field);
  // Read before the vault is opened: whoever types must not hold it up.
  const given = readsValue(input) ? await readValue(input, `Value of ${what}`) : null;
  await withVault(input, async (client) => {
    const value = given ?? (await generate(input, client));
    if (field !== undefined) await client.putField(name, field, value, { environment });
    else if (metadata === undefined) await client.putValue(name, value, { environment });
    else await client.putSecret(name, { value, metadata }, { environment });
  });
  context.say(`Stored ${what}.`);
  return EXIT.done;
};

/** Whether the value comes from outside; checks the options about generating. */
function readsValue(input: Input): boolean {
  const generates = findSource(input, ['value', 'from-file', 'generate']) === 'generate';
  if (!generates && (input.flag('length') || input.flag('no-symbols')))
    throw usageError('--length and --no-symbols go with --generate');
  if (generates) readWhole(input, 'length', 1, MAX_LENGTH);
  return !generates;
}

async function generate(input: Input, client: Client): Promise<string> {
  const length = readWhole(input, 'length', 1, MAX_LENGTH);
  const generated = await client.generate({
    ...(length === undefined ? {} : { length }),
    symbols: !input.flag('no-symbols'),
  });
  input.context.say(`Generated: ${generated.entropy_bits} bits of entropy.`);
  return generated.password;
}
