/** Asks the vault's own thread, while this process owns the vault, what the vault is, and has it recorded as the user's. */
import type { Author, KnownVault } from '../../../workers/messages.ts';
import type { CallResult } from '../../call-result.ts';
import { TURN_PATIENCE_MS } from '../../places/owner.ts';
import { adviseOn } from '../../remedies.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, exitCodeOf } from '../run/failure.ts';
import { poolOptions } from './pool-options.ts';
import { chooseReader } from './remedy-readers.ts';

export interface Inspected {
  readonly found: KnownVault;
  /** In words; null if there is none, or if no vault is known here. */
  readonly difference: string | null;
}

/** Runs `work` while this process owns the vault. `verb`: what is done to it. Throws CliError if a daemon has it. */
export async function withOwnership<T>(
  { home }: Input,
  verb: 'adopt' | 'restore' | 'accept',
  work: () => Promise<T>,
): Promise<T> {
  const { awaitOwnership, releaseOwnership } = await import('../../daemon/ownership.ts');
  const isServed = async () =>
    (await import('../../places/owner.ts')).readOwner(home.ownerPath)?.command === 'serve';
  if (!(await awaitOwnership(home, verb, TURN_PATIENCE_MS, isServed))) {
    throw new CliError(
      EXIT.failed,
      `mav serve has the vault; end it (Ctrl-C, or mav service stop), ${verb} the vault, and start it again`,
    );
  }
  try {
    return await work();
  } finally {
    releaseOwnership(home);
  }
}

/** Only within withOwnership. Throws CliError. */
export async function inspectFound(input: Input, known: KnownVault | null): Promise<Inspected> {
  return JSON.parse(await askThread(input, known, 'vault.inspect')) as Inspected;
}

/** Records that `found` is the user's. Only within withOwnership. Throws CliError if another vault lies there by now. */
export async function adoptFound(input: Input, known: KnownVault | null, found: KnownVault): Promise<void> {
  await askThread(input, known, 'vault.adopt', { found: JSON.stringify(found) });
}

async function askThread(
  input: Input,
  known: KnownVault | null,
  operation: 'vault.inspect' | 'vault.adopt',
  params: Record<string, string> = {},
): Promise<string> {
  return readAnswer(await askOwnThread(input, known, { operation, params }));
}

/** Who this process acts for. */
const OWNER: Author = { id: 'session', isTrusted: true };

interface Question {
  readonly operation: 'vault.inspect' | 'vault.adopt' | 'vault.acceptRestore';
  readonly params: Record<string, string>;
  /** Moved to the thread. */
  readonly body?: Uint8Array<ArrayBuffer> | null;
}

/** Only within withOwnership. */
export async function askOwnThread(
  input: Input,
  known: KnownVault | null,
  { operation, params, body = null }: Question,
): Promise<CallResult> {
  const { context, home } = input;
  const { Pools } = await import('../../pool/pools.ts');
  const pools = new Pools(poolOptions(context, home, input.text('passphrase-file'), 0, known), () => {});
  try {
    return await pools.control({ operation, params, body, mayReplace: false, author: OWNER });
  } finally {
    await pools.close();
  }
}

/** Returns the JSON of an answer. Throws CliError. */
export function readAnswer(answered: CallResult): string {
  if (!answered.ok) throw new CliError(exitCodeOf(answered.code), adviseOn(answered, chooseReader('own')));
  return Buffer.from(answered.body).toString();
}
