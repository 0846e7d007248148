/** `mav delete`: secrets with their fields, or one field of each. */
import type { Client } from '../../client/client.ts';
import { isReference, readReference } from '../input/name-reference.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode, toCliError } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { withVault } from '../vault/access.ts';
import { describeSecret } from '../vault/describe-secret.ts';
import type { Wanted } from '../vault/missing.ts';
import { orExplain } from '../vault/or-explain.ts';

export const run: Run = async (input) => {
  const places = readPlaces(input);
  const what = places.map(describePlace).join(', ');
  // What is missing is said before the user is asked. The vault is closed again while they think.
  if (!input.flag('force') || places.length > 1)
    await withVault(input, (client) => checkThere(input, client, places));
  await confirm(input, `Delete ${what} for ever?`);
  await withVault(input, (client) => deleteEach(input, client, places));
  input.context.say(`Deleted ${what}.`);
  return EXIT.done;
};

/** Each once, however often it was named. */
function readPlaces(input: Input): Wanted[] {
  const [env, field] = [input.text('env'), input.text('field')];
  const places = input.args.map((typed) =>
    isReference(typed)
      ? { field, ...readReference(typed, { env, field }) }
      : { name: typed, environment: input.environment, field },
  );
  return [...new Map(places.map((place) => [describePlace(place), place])).values()];
}

function describePlace({ name, environment, field }: Wanted): string {
  return describeSecret(name, environment, field);
}

/** Throws CliError that names all that are missing. A token that may not read is refused only when it deletes. */
async function checkThere(input: Input, client: Client, places: readonly Wanted[]): Promise<void> {
  const missing: Wanted[] = [];
  for (const place of places) {
    const { name, environment, field } = place;
    try {
      const fields = await client.listFieldNames(name, { environment });
      if (field !== undefined && !fields.includes(field)) missing.push(place);
    } catch (error) {
      if (hasErrorCode(error, 'forbidden')) return;
      if (!hasErrorCode(error, 'not_found')) throw error;
      missing.push(place);
    }
  }
  if (missing.length === 0) return;
  const { explainMissing } = await import('../vault/missing.ts');
  throw await explainMissing(input, client, missing);
}

/** Sends one request for each. If one fails, the error says which secrets were deleted before it. */
async function deleteEach(input: Input, client: Client, places: readonly Wanted[]): Promise<void> {
  const deleted: string[] = [];
  for (const place of places) {
    const { name, environment, field } = place;
    try {
      const asked: Promise<unknown> =
        field === undefined
          ? client.deleteSecret(name, { environment })
          : client.deleteField(name, field, { environment });
      await orExplain(input, client, place, asked);
    } catch (error) {
      if (deleted.length === 0) throw error;
      const { exitCode, message } = toCliError(error);
      throw new CliError(exitCode, `${message}; deleted before that: ${deleted.join(', ')}`);
    }
    deleted.push(describePlace(place));
  }
}
