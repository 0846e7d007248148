/** `mav key remove ID`: takes away a way to open the vault, never the last one. */
import type { KeyEntry } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken, withVault } from '../vault/access.ts';
import { changeKeys } from '../vault/change-keys.ts';
import { KEY_STORES } from '../vault/key-stores.ts';

export const run: Run = async (input) => {
  const [id = ''] = input.args;
  refuseToken(input, 'change the keys of the vault');
  // Closed again while somebody thinks.
  const keys = await withVault(input, (client) => client.listKeys(), { mayBeSealed: true });
  const key = keys.find((one) => one.id === id);
  if (key !== undefined) await askFirst(input, keys, key);
  const { key_kept: kept } = await removeKey(input, id);
  input.context.say(`Removed the key ${escapeControls(id)}.`);
  if (kept !== null)
    input.context.complain(`mav: ${kept}; what it has stays there until the next change of keys`);
  return EXIT.done;
};

async function askFirst(
  input: Input,
  keys: readonly KeyEntry[],
  { id, kind, location }: KeyEntry,
): Promise<void> {
  const place = escapeControls(KEY_STORES[kind].describePlace({ file: location }));
  const others = keys.filter((key) => key.id !== id).map((key) => key.kind);
  if (others.length === 0) return;
  const rest = [...new Set(others)].join(' or ');
  await confirm(input, `Remove ${place} as a key of the vault? It still opens by ${rest}.`);
}

/** A key that is not in the list may be one whose removal was interrupted: the vault then ends that. */
async function removeKey(input: Input, id: string): Promise<{ readonly key_kept: string | null }> {
  try {
    return await changeKeys(input, (client, body) => client.removeKey(id, body));
  } catch (error) {
    if (!hasErrorCode(error, 'not_found')) throw error;
    throw new CliError(EXIT.notFound, `no key has the ID ${escapeControls(id)}; mav key list shows the IDs`);
  }
}
