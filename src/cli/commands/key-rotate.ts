/** `mav key rotate`: makes a new generation of the KEK, with --root a new root key, too, and waits until every key is wrapped under it. */
import type { Client } from '../../client/client.ts';
import type { DamagedRow, Rotated } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { givePassphrase } from '../input/passphrase.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode } from '../run/failure.ts';
import { exitCodeOfSignal, watchSignals } from '../terminal/interruption.ts';
import { clearProgress } from '../terminal/progress.ts';
import { withDaemon, withVault } from '../vault/access.ts';
import { changeKeys } from '../vault/change-keys.ts';
import { checkRootOptions, giveRecovery, tellRenewed } from '../vault/root-key.ts';
import { showWork } from '../vault/show-work.ts';
import type { VaultAccess } from '../vault/vault-access.ts';
import { explainClosed } from '../vault/wanted-key.ts';

export const run: Run = async (input) => {
  checkRootOptions(input);
  const rotated = input.flag('root') ? await rotateWithRoot(input) : await rotateKek(input);
  return tellEnd(input, rotated);
};

function rotateKek(input: Input): Promise<Rotated> {
  const request = (client: Client, access: VaultAccess) =>
    givePassphrase(input, client, async (body) => {
      if (access === 'daemon') await unsealFirst(input, client, body);
      return rotate(input, client, access, body);
    });
  return withVault(input, request, { bringsKey: true });
}

/** Every key of the vault is made again, so the passphrase is needed even where another key opens it. */
function rotateWithRoot(input: Input): Promise<Rotated> {
  return changeKeys(
    input,
    (client, body, access) =>
      giveRecovery(input, client, body, async (whole) => {
        try {
          return await rotate(input, client, access, whole);
        } catch (error) {
          throw explainClosed(error, access, 'file', await client.status(), 'run this again');
        }
      }),
    { needsPassphrase: true },
  );
}

/** Unseals a sealed vault with the key that was given for the rotation. Throws CliError or MaestroVaultError. */
async function unsealFirst(input: Input, client: Client, body: unknown): Promise<void> {
  if (!(await client.status()).sealed) return;
  // Without a passphrase it is as for every other command, which offers to unseal the vault, or says how.
  if (body === undefined) return void (await withDaemon(input, (one) => one.info()));
  // A body of bytes is moved away.
  await client.unseal(body instanceof Uint8Array ? body.slice() : body);
  input.context.say('The vault is unsealed.');
}

/** Ctrl-C ends the waiting, and says what becomes of the rotation. */
async function rotate(input: Input, client: Client, access: VaultAccess, body: unknown): Promise<Rotated> {
  const [reencrypt, root] = [input.flag('reencrypt'), input.flag('root')];
  const text = reencrypt ? 'Encrypting the secrets again' : 'Wrapping the keys of the secrets';
  const work = { client, access, kind: 'rotating', text } as const;
  const interruption = watchSignals((signal) => {
    clearProgress();
    input.context.complain(
      access === 'daemon'
        ? 'Not waiting any longer. The rotation goes on in mav serve; mav status says how far it is.'
        : 'Interrupted. The rotation goes on with the next mav serve, or mav key rotate.',
    );
    process.exit(exitCodeOfSignal(signal));
  });
  try {
    return await showWork(input, work, () =>
      client.rotateKek(body, { ...(reencrypt && { reencrypt }), ...(root && { root }) }),
    );
  } finally {
    interruption.end();
  }
}

/** Names what could not be wrapped again. */
function tellEnd({ context }: Input, rotated: Rotated): ExitCode {
  if (rotated.root_key !== null) tellRenewed(context, rotated.root_key);
  const { kek_generation: generation, kept_generations: kept, damaged, damaged_count: count } = rotated;
  context.say(`Rotated to generation ${generation}.`);
  if (count === 0) return EXIT.done;
  context.complain('Not wrapped again, because somebody without the key changed it, or it is damaged:');
  for (const row of damaged) context.complain(`  ${describeRow(row)}`);
  if (count > damaged.length) context.complain(`  and ${count - damaged.length} more`);
  if (kept.length > 0)
    context.complain(
      `Generation ${kept.join(', ')} is kept for it. Set these secrets again, or delete and purge them; then: mav key rotate`,
    );
  return EXIT.failed;
}

const OLD_TABLES: readonly DamagedRow['table'][] = ['versions', 'old_fields'];

function describeRow({ table, name, environment, field, version, id, detail }: DamagedRow): string {
  if (table === 'database') return escapeControls(`the set of rows, because ${detail}; see: mav verify`);
  if (table === 'tokens') return escapeControls(`the token ${id}`);
  if (table === 'audit')
    return escapeControls(
      `segment ${id} of the audit log; see mav audit verify, and to give it up: mav audit forget ${id}`,
    );
  const row = describeSecret(name ?? 'a secret that is gone', environment, field);
  return OLD_TABLES.includes(table) ? `${row}, version ${version}` : row;
}
