/** `mav undelete`: brings deleted secrets back, with their fields and versions. */
import type { Client } from '../../client/client.ts';
import type { Run } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { listDeleted } from '../vault/deleted.ts';
import type { Wanted } from '../vault/missing.ts';
import { changeEach, describePlace, describePlaces, readWholePlaces } from '../vault/named-places.ts';
import { describeEnvironment, listEnvironments, quoteName } from '../vault/place-names.ts';

export const run: Run = async (input) => {
  const places = readWholePlaces(input);
  await withVault(input, (client) => changeEach(places, 'restored', (place) => restore(client, place)));
  input.context.say(`Restored ${describePlaces(places)}.`);
  return EXIT.done;
};

async function restore(client: Client, place: Wanted): Promise<void> {
  try {
    await client.restoreSecret(place.name, { environment: place.environment });
  } catch (error) {
    if (hasErrorCode(error, 'conflict'))
      throw new CliError(
        EXIT.failed,
        `${describePlace(place)} is not deleted, or there is another secret of its name now: rename that first`,
      );
    throw hasErrorCode(error, 'not_found') ? await explainNotDeleted(client, place) : error;
  }
}

async function explainNotDeleted(client: Client, { name, environment = '' }: Wanted): Promise<CliError> {
  const deleted = await listDeleted(client).catch(() => []);
  const elsewhere = deleted.filter((one) => one.name === name).map((one) => one.environment);
  const where =
    elsewhere.length === 0 ? '' : `; it was deleted in ${listEnvironments(elsewhere, environment)}`;
  return new CliError(
    EXIT.notFound,
    `no deleted secret ${quoteName(name)} in ${describeEnvironment(environment)} is kept${where}; mav trash lists what is`,
  );
}
