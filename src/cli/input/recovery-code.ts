/** A recovery code that the user has: in a file, or on paper. */
import type { Input } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { closeMemory } from './passphrase.ts';
import { readPassphrase } from './passphrase-file.ts';

const MAX_ATTEMPTS = 3;

/** The body of a request that brings a code. */
export type CodeBody = object | Uint8Array<ArrayBuffer>;

/** Returns what --recovery-file has; null without that option. Throws CliError. */
export async function readCodeFile({ text }: Input): Promise<CodeBody | null> {
  const path = text('recovery-file');
  if (path === undefined) return null;
  await closeMemory();
  // A file of this user alone, as that of a passphrase.
  return { recovery_code: readPassphrase(path, 'recovery file') };
}

/** Returns whether somebody can be asked for a code. */
export async function canAskCode({ context }: Input): Promise<boolean> {
  const { canType } = await import('../terminal/prompt.ts');
  return context.canAsk && canType();
}

/** Throws CliError if the code is not given and nobody can be asked for it. */
export async function requireCode(input: Input): Promise<CodeBody | null> {
  const given = await readCodeFile(input);
  if (given !== null) return given;
  await closeMemory();
  if (!(await canAskCode(input)))
    throw usageError('nobody can be asked for the recovery code here; give --recovery-file');
  return null;
}

/** Tries the given code; without one asks for it, and again if it is typed wrong. */
export async function tryCodes<T>(
  { context }: Input,
  given: CodeBody | null,
  attempt: (code: CodeBody) => Promise<T>,
): Promise<T> {
  if (given !== null) return attempt(given);
  const { askRecoveryCode } = await import('../terminal/prompt.ts');
  for (let count = 0; count < MAX_ATTEMPTS; count++) {
    try {
      return await attempt(await askRecoveryCode());
    } catch (error) {
      if (!isWrongCode(error)) throw error;
      const { message } = error as Error;
      context.complain(`${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
    }
  }
  throw new CliError(EXIT.sealed, `no recovery code was right in ${MAX_ATTEMPTS} attempts; nothing was done`);
}

export function isWrongCode(error: unknown): boolean {
  const { code, member } = error as { readonly code?: unknown; readonly member?: unknown };
  return code === 'bad_request' && member === 'recovery_code';
}
