/** A new root key: what its owner has to bring for it, and what became of the keys of the vault. */
import type { Client } from '../../client/client.ts';
import type { AddedKey, RenewedRootKey } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { canAskCode, readCodeFile, tryCodes } from '../input/recovery-code.ts';
import type { Input } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { usageError } from '../run/failure.ts';
import { joinBodies } from './join-bodies.ts';
import { KEY_STORES } from './key-stores.ts';

/** Throws CliError for an option that only goes with --root. */
export function checkRootOptions({ flag, text }: Input): void {
  if (flag('root')) return;
  if (text('recovery-file') !== undefined) throw usageError('--recovery-file goes with --root');
  if (flag('drop-recovery')) throw usageError('--drop-recovery goes with --root');
}

/**
 * Runs a request whose body has, beside what `body` has, the recovery code of a vault that has one: from a file, or asked for. With
 * --drop-recovery it is not asked for. Throws CliError if nobody can be asked.
 */
export async function giveRecovery<T>(
  input: Input,
  client: Client,
  body: unknown,
  request: (body: unknown) => Promise<T>,
): Promise<T> {
  const drops = input.flag('drop-recovery');
  const parts = [body, drops ? { drop_recovery: true } : undefined];
  const given = await readCodeFile(input);
  if (given !== null) return request(joinBodies(...parts, given));
  const hasCode = (await client.listKeys()).some(({ kind }) => kind === 'recovery');
  if (!hasCode || drops) return request(joinBodies(...parts));
  if (!(await canAskCode(input)))
    throw usageError(
      'the vault has a recovery code, and nobody can be asked for its words here; give --recovery-file, or --drop-recovery',
    );
  // So that nobody types 24 words because of a wrong passphrase. A body of bytes is moved away.
  if (body !== undefined) await client.unseal(body instanceof Uint8Array ? body.slice() : body);
  input.context.say(
    'The recovery code stays as it is, but its words are needed. If they are lost: Ctrl-C, then --drop-recovery.',
  );
  return tryCodes(input, null, (code) => request(joinBodies(...parts, code)));
}

/** Says what the vault opens with now, and what its owner has to do. */
export function tellRenewed(context: Context, { keys, dropped, kept }: RenewedRootKey): void {
  context.say('The vault has a new root key. It opens with:');
  for (const key of keys) context.say(escapeControls(`  ${describeKey(key)}, in place of ${key.replaces}`));
  for (const { kind } of keys) {
    const { duty } = KEY_STORES[kind];
    if (duty !== undefined) context.say(duty);
  }
  if (dropped.length > 0)
    context.say('Its recovery code opens nothing any more; for another: mav key add recovery');
  for (const key of kept)
    context.complain(
      escapeControls(
        `Not removed yet: the old ${describeKey(key)}. It opens nothing, and goes with the next change of keys.`,
      ),
    );
  context.say('Backups of before do not open with the new keys. Make one now: mav backup FILE');
}

function describeKey({ id, kind, location }: AddedKey): string {
  return `key ${id}: ${KEY_STORES[kind].describePlace({ file: location })}`;
}
