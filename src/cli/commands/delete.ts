/** `mav delete`: secrets with their fields, or one field of each. */
import type { Client } from '../../client/client.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, hasErrorCode } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { withVault } from '../vault/access.ts';
import { type Kept, readKept } from '../vault/kept.ts';
import type { Wanted } from '../vault/missing.ts';
import { changeEach, describePlaces, readPlaces } from '../vault/named-places.ts';
import { orExplain } from '../vault/or-explain.ts';
import { writeCommand } from '../vault/write-command.ts';

export const run: Run = async (input) => {
  const places = readPlaces(input);
  const hasForce = input.flag('force');
  const { kept, isDone } = await withVault(input, async (client) => {
    // What is missing is said before the user is asked, and before anything is deleted.
    if (!hasForce || places.length > 1) await checkThere(input, client, places);
    const kept = await readKept(client);
    const isDone = hasForce || places.every((place) => isKept(kept, place));
    if (isDone) await deleteEach(input, client, places);
    return { kept, isDone };
  });
  if (!isDone) {
    // The vault is closed while somebody thinks.
    await confirm(input, `Delete ${describePlaces(places)}${kept === null ? '' : ' for ever'}?`);
    await withVault(input, (client) => deleteEach(input, client, places));
  }
  input.context.say(`Deleted ${describePlaces(places)}${describeWaysBack(input, places, kept)}.`);
  return EXIT.done;
};

/** Whether it can be brought back. A token that may not know is asked as if it could not. */
function isKept(kept: Kept | null, { field }: Wanted): boolean {
  return kept !== null && (field === undefined ? kept.hasDeleted : kept.hasOldVersions);
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

function deleteEach(input: Input, client: Client, places: readonly Wanted[]): Promise<void> {
  return changeEach(places, 'deleted', (place) => {
    const { name, environment, field } = place;
    const asked: Promise<unknown> =
      field === undefined
        ? client.deleteSecret(name, { environment })
        : client.deleteField(name, field, { environment });
    return orExplain(input, client, place, asked);
  });
}

/** Returns how to bring back what was deleted, as the end of a sentence. */
function describeWaysBack(input: Input, places: readonly Wanted[], kept: Kept | null): string {
  if (kept === null) return '';
  if (places.every((place) => !isKept(kept, place))) return ' for good';
  const secrets = places.filter((place) => place.field === undefined && isKept(kept, place));
  const fields = places.filter((place) => place.field !== undefined && isKept(kept, place));
  const ways = secrets.length === 0 ? [] : [describeUndelete(input, secrets)];
  // One rollback brings back the last change only.
  if (fields.length === 1 && secrets.length === 0)
    ways.push(`${writeCommand(input, 'rollback', fields)} brings it back`);
  else if (fields.length > 0) ways.push('mav history and mav rollback bring a field back');
  return ways.map((way) => `; ${way}`).join('');
}

function describeUndelete(input: Input, secrets: readonly Wanted[]): string {
  return `${writeCommand(input, 'undelete', secrets)} brings ${secrets.length === 1 ? 'it' : 'them'} back`;
}
