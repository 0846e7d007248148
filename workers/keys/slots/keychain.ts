/**
 * The `keychain` slot: the root key lies in the operating system's keychain, which is asked from a process of its own
 * (keychain-process.ts says why). Holds the root key between that process and the caller; every copy is zeroed.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asRootKey, KEY_SIZE, type RootKey } from '../../envelope/keys.ts';
import { allocateSecret, type SecretBytes } from '../../json/secret-bytes.ts';
import { SealedError } from '../sealed.ts';

export const SERVICE = 'MaestroVault';

export type Operation = 'read' | 'store' | 'remove' | 'probe';

/** How an operation ended, as the exit code of its process. */
export const ANSWER = { done: 0, unavailable: 1, nothing: 2, forgetful: 3 } as const;
export type Answer = (typeof ANSWER)[keyof typeof ANSWER];

/** The keychain could not be used: there is none, it is locked, or it did not answer in time. */
export class KeychainUnavailableError extends Error {}

/** The program that asks it is not there any more, or is another one's. */
class ProgramReplacedError extends KeychainUnavailableError {
  override readonly message =
    'cannot be asked, because the program was replaced while mav serve ran; restart mav serve';
}

/** Several vaults live side by side in one keychain, each under its own id. */
function accountOf(vaultId: Uint8Array): string {
  return `root-key:${Buffer.from(vaultId).toString('hex')}`;
}

/** .ts when run from source, .js when built; then it lies beside the bundle of the thread. */
const PROGRAM = fileURLToPath(new URL(`./keychain-process${extname(import.meta.url)}`, import.meta.url));
const PROGRAM_AT_START = identifyProgram();

/** Changes when an upgrade replaces the files of a running daemon. */
function identifyProgram(): string {
  return [PROGRAM, process.execPath]
    .map((path) => statSync(path, { throwIfNoEntry: false }))
    .map((stat) => (stat === undefined ? 'gone' : [stat.dev, stat.ino, stat.size, stat.mtimeMs].join(' ')))
    .join();
}

/**
 * Runs one operation of the keychain, with a root key for `store`. Answers the bytes of a `read`; null if there is no
 * such entry. Throws KeychainUnavailableError.
 */
async function askKeychain(
  operation: Operation,
  account: string,
  timeoutMs: number,
  rootKey?: RootKey,
): Promise<SecretBytes | null> {
  if (identifyProgram() !== PROGRAM_AT_START) throw new ProgramReplacedError();
  const child = spawn(process.execPath, [PROGRAM, operation, account], {
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
  // At most one byte more than a root key: see keychain-process.ts.
  const received = allocateSecret(KEY_SIZE + 1);
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    const taken = chunk.subarray(0, received.length - length);
    received.set(taken, length);
    length += taken.length;
    chunk.fill(0);
  });
  child.stdin.on('error', () => {});
  // Left open: its end tells the process that nobody waits any more.
  if (rootKey !== undefined) child.stdin.write(rootKey);
  try {
    const [exitCode, signal] = await once(child, 'close');
    if (signal !== null) throw new KeychainUnavailableError(describeTimeout(timeoutMs));
    return explain(exitCode) ? copySecret(received.subarray(0, length)) : null;
  } catch (error) {
    if (error instanceof KeychainUnavailableError) throw error;
    throw new KeychainUnavailableError('cannot be asked');
  } finally {
    received.fill(0);
    child.stdin.destroy();
  }
}

function copySecret(bytes: Uint8Array): SecretBytes {
  const copy = allocateSecret(bytes.length);
  copy.set(bytes);
  return copy;
}

function describeTimeout(timeoutMs: number): string {
  return `did not answer within ${Math.ceil(timeoutMs / 1000)} s`;
}

/** Whether there is an entry. Throws KeychainUnavailableError. */
function explain(exitCode: number): boolean {
  if (exitCode === ANSWER.done) return true;
  if (exitCode === ANSWER.nothing) return false;
  throw new KeychainUnavailableError(
    exitCode === ANSWER.forgetful ? 'did not keep what was stored' : 'is locked or not there',
  );
}

/** The root key (32 bytes, the caller zeroes it). Throws SealedError if it cannot be had. */
export async function readRootKey(vaultId: Uint8Array, timeoutMs: number): Promise<RootKey> {
  const bytes = await readEntry(accountOf(vaultId), timeoutMs);
  if (bytes === null) {
    throw new SealedError(
      'keychain_entry_missing',
      `the OS keychain has no entry ${accountOf(vaultId)} of the service ${SERVICE}`,
    );
  }
  if (bytes.length !== KEY_SIZE) {
    bytes.fill(0);
    throw new SealedError('wrong_key', 'the entry in the OS keychain is not a root key');
  }
  return asRootKey(bytes);
}

async function readEntry(account: string, timeoutMs: number): Promise<SecretBytes | null> {
  try {
    return await askKeychain('read', account, timeoutMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'failed';
    const isOver = error instanceof ProgramReplacedError;
    throw new SealedError(isOver ? 'unusable' : 'keychain_unavailable', `the OS keychain ${reason}`);
  }
}

/** Stores the root key and reads it back; throws KeychainUnavailableError if it did not come back the same. */
export async function storeRootKey(vaultId: Uint8Array, rootKey: RootKey, timeoutMs: number): Promise<void> {
  await askKeychain('store', accountOf(vaultId), timeoutMs, rootKey);
}

/** Whether there was one. Throws KeychainUnavailableError. */
export async function deleteRootKey(vaultId: Uint8Array, timeoutMs: number): Promise<boolean> {
  return (await askKeychain('remove', accountOf(vaultId), timeoutMs)) !== null;
}

/** Writes, reads and deletes an entry of its own. Answers why the keychain cannot be used, or null if it can. */
export async function probeKeychain(timeoutMs: number): Promise<string | null> {
  try {
    await askKeychain('probe', `probe:${randomBytes(8).toString('hex')}`, timeoutMs);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'failed';
  }
}
