/** The passphrase of a vault that exists: from a file, or typed, and asked for again where it is wrong. */
import type { Client } from '../../client/client.ts';
import type { Input } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { readPassphrase } from './passphrase-file.ts';

const MAX_ATTEMPTS = 3;

type Attempt<T> = { readonly isWrong: false; readonly result: T } | { readonly isWrong: true };

/** How asking ended: a passphrase was right, all were wrong, or there was no terminal to ask on. */
type Asked<T> = { readonly kind: 'answered'; readonly result: T } | { readonly kind: 'wrong' | 'nobody' };

/** Asks for the passphrase and tries it, three times at most. `attempt` gets a request body, which it may move away. */
export async function tryPassphrases<T>(
  context: Context,
  attempt: (body: Uint8Array<ArrayBuffer>) => Promise<Attempt<T>>,
): Promise<Asked<T>> {
  const { askPassphrase, canType } = await import('../terminal/prompt.ts');
  if (!context.canAskPassphrase || !canType()) return { kind: 'nobody' };
  await closeMemory();
  for (let count = 0; count < MAX_ATTEMPTS; count++) {
    const typed = await askPassphrase('Passphrase: ');
    const attempted = typed === null ? null : await attempt(typed);
    if (attempted?.isWrong === false) return { kind: 'answered', result: attempted.result };
    context.complain(typed === null ? 'That is empty.' : 'The passphrase is wrong.');
  }
  return { kind: 'wrong' };
}

/** Says what to change so that the passphrase can be asked for. The user may be on a terminal already. */
export function describeTyping(context: Context): string {
  const { canAskPassphrase, isErrorTerminal, isInputTerminal, isOutputTerminal } = context;
  if (isErrorTerminal && !canAskPassphrase) return 'leave --no-input out';
  const isOnTerminal = !isErrorTerminal && (isInputTerminal || isOutputTerminal);
  return isOnTerminal ? 'leave standard error on the terminal' : 'run this on a terminal';
}

/** The error after the last attempt. */
export function explainWrong(): CliError {
  return new CliError(EXIT.sealed, `no passphrase was right in ${MAX_ATTEMPTS} attempts; nothing was done`);
}

/**
 * Runs a request that takes the passphrase in its body, where the vault needs one. If another key may open the vault, the
 * request is tried without a passphrase first, unless `isNeeded`. Throws CliError if none can be had, or if three were wrong.
 */
export async function givePassphrase<T>(
  input: Input,
  client: Client,
  request: (body?: unknown) => Promise<T>,
  isNeeded = false,
): Promise<T> {
  const file = input.text('passphrase-file');
  if (file !== undefined) return giveFromFile(file, request);
  const { key_stores: keyStores } = await client.status();
  if (!keyStores.includes('passphrase')) return request();
  if (!isNeeded && keyStores.length > 1) {
    const tried = await noteNeeded(request());
    if (!tried.isNeeded) return tried.result;
  }
  const asked = await tryPassphrases(input.context, (body) => noteWrong(request(body)));
  if (asked.kind === 'answered') return asked.result;
  if (asked.kind === 'wrong') throw explainWrong();
  // Without one the vault's holder takes its own passphrase file or, having none, says what it needs.
  return request();
}

/** Throws whatever else the request fails with. */
async function noteNeeded<T>(
  request: Promise<T>,
): Promise<{ isNeeded: true } | { isNeeded: false; result: T }> {
  try {
    return { isNeeded: false, result: await request };
  } catch (error) {
    if ((error as { reason?: unknown }).reason === 'needs_passphrase') return { isNeeded: true };
    throw error;
  }
}

/** Before a passphrase is in it: no other program of this user may read it then. */
export async function closeMemory(): Promise<void> {
  const { Libc } = await import('../../daemon/libc.ts');
  Libc.open()?.forbidDumping();
}

async function giveFromFile<T>(path: string, request: (body: unknown) => Promise<T>): Promise<T> {
  await closeMemory();
  const given = await noteWrong(request({ passphrase: readPassphrase(path) }));
  if (!given.isWrong) return given.result;
  throw new CliError(EXIT.sealed, `the passphrase in the file ${path} is wrong; put the right one there`);
}

/** Runs a request with a passphrase. Throws whatever else it fails with. */
export async function noteWrong<T>(request: Promise<T>): Promise<Attempt<T>> {
  try {
    return { isWrong: false, result: await request };
  } catch (error) {
    if ((error as { reason?: unknown }).reason === 'wrong_passphrase') return { isWrong: true };
    throw error;
  }
}
