/** `mav purge`: removes secrets for good, deleted ones or not, with all their versions. */
import type { Client } from '../../client/client.ts';
import { formatTime } from '../../text/format-time.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, hasErrorCode } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { withVault } from '../vault/access.ts';
import type { Wanted } from '../vault/missing.ts';
import { changeEach, describePlace, describePlaces, readWholePlaces } from '../vault/named-places.ts';
import { orExplain } from '../vault/or-explain.ts';

export const run: Run = async (input) => {
  const places = readWholePlaces(input);
  // The vault is closed again while somebody thinks.
  const looked = await withVault(input, (client) => describeEach(input, client, places));
  await confirm(input, `Remove ${looked.join(', ')} with all versions for ever?`);
  await withVault(input, (client) =>
    changeEach(places, 'removed', (place) => {
      const { name, environment } = place;
      return orExplain(input, client, place, client.purgeSecret(name, { environment }));
    }),
  );
  input.context.say(`Removed ${describePlaces(places)} for good.`);
  return EXIT.done;
};

/** Throws CliError that names all that are neither stored nor deleted. A token that may not read is refused only later. */
async function describeEach(input: Input, client: Client, places: readonly Wanted[]): Promise<string[]> {
  const described: string[] = [];
  const missing: Wanted[] = [];
  for (const place of places) {
    try {
      described.push(`${describePlace(place)}${await describeState(client, place)}`);
    } catch (error) {
      if (!hasErrorCode(error, 'not_found')) throw error;
      missing.push(place);
    }
  }
  if (missing.length === 0) return described;
  const { explainMissing } = await import('../vault/missing.ts');
  throw await explainMissing(input, client, missing);
}

async function describeState(client: Client, { name, environment }: Wanted): Promise<string> {
  try {
    const [newest] = await client.listVersions(name, { environment });
    return newest?.change === 'delete'
      ? ` (deleted ${formatTime(newest.created_at)})`
      : ', which is not deleted,';
  } catch (error) {
    if (hasErrorCode(error, 'forbidden')) return '';
    throw error;
  }
}
