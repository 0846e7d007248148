/** `mav key add KIND`: adds a way to open the vault. */
import type { AddedKey } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, usageError } from '../run/failure.ts';
import { changeKeys } from '../vault/change-keys.ts';
import { joinBodies } from '../vault/join-bodies.ts';
import { type DailyKind, KEY_KINDS } from '../vault/key-store-names.ts';
import { KEY_STORES } from '../vault/key-stores.ts';
import { canKeepCode, checkRecoveryFile, handOver, readCode } from '../vault/recovery-code.ts';
import { describeWanted, explainClosed } from '../vault/wanted-key.ts';

export const run: Run = async (input) => {
  const kind = readKind(input);
  if (kind === 'recovery') await addRecovery(input);
  else await addKey(input, kind);
  return EXIT.done;
};

async function addKey(input: Input, kind: DailyKind): Promise<void> {
  const wanted = await describeWanted(input, kind);
  try {
    const added = await changeKeys(input, async (client, body, access) => {
      try {
        return await client.addKey(joinBodies({ kind }, wanted, body));
      } catch (error) {
        throw explainClosed(error, access, kind, await client.status());
      }
    });
    tellAdded(input, added);
  } finally {
    if (wanted instanceof Uint8Array) wanted.fill(0);
  }
}

/** The vault gets the code only when the user has it. */
async function addRecovery(input: Input): Promise<void> {
  if (!(await canKeepCode(input)))
    throw usageError('nobody can be shown a recovery code here; give --recovery-file');
  checkRecoveryFile(input);
  const added = await changeKeys(input, async (client, body) => {
    const code = await client.newRecoveryCode();
    let undo: (() => void) | null = null;
    try {
      undo = await handOver(input, readCode(code));
      return await client.addKey(joinBodies({ kind: 'recovery' }, code, body));
    } catch (error) {
      undo?.();
      throw error;
    } finally {
      code.fill(0);
    }
  });
  tellAdded(input, added);
}

/** Throws CliError for a kind that is not known, or an option of another kind. */
function readKind({ args, text }: Input): AddedKey['kind'] {
  const kind = KEY_KINDS.find((known) => known === args[0]);
  if (kind === undefined) throw usageError(`the kind must be one of ${KEY_KINDS.join(', ')}`);
  if (text('key-file') !== undefined && kind !== 'file')
    throw usageError('--key-file goes with the kind file');
  if (text('new-passphrase-file') !== undefined && kind !== 'passphrase')
    throw usageError('--new-passphrase-file goes with the kind passphrase');
  if (text('recovery-file') !== undefined && kind !== 'recovery')
    throw usageError('--recovery-file goes with the kind recovery');
  return kind;
}

function tellAdded({ context: { say } }: Input, { id, kind, location }: AddedKey): void {
  const { describePlace, duty } = KEY_STORES[kind];
  say(escapeControls(`Added the key ${id}: the vault opens with ${describePlace({ file: location })}, too.`));
  if (duty !== undefined) say(duty);
}
