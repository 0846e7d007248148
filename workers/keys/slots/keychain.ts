/**
 * The `keychain` slot: the root key lies in the operating system's keychain, which a process of its own asks
 * (keychain-process.ts says why). Holds the root key on its way between that process and the caller, and zeroes every copy.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { asRootKey, type RootKey } from '../../envelope/keys.ts';
import { allocateSecretMemory } from '../../envelope/secret-memory.ts';
import { KEY_SIZE } from '../../envelope/sizes.ts';
import { RequestError } from '../../errors/request-error.ts';
import { SealedError } from '../../errors/sealed.ts';
import { allocateSecret, type SecretBytes } from '../../json/secret-bytes.ts';
import { KeyKeptError, type KeySlot } from './key-slot.ts';

export const SERVICE = 'MaestroVault';

export type Operation = 'read' | 'store' | 'remove' | 'probe';

/** How an operation ended, as the exit code of its process. */
export const ANSWER = { done: 0, unavailable: 1, nothing: 2, forgetful: 3 } as const;
export type Answer = (typeof ANSWER)[keyof typeof ANSWER];

const NOTHING = new Uint8Array(0);

/** The keychain could not be used: there is none, it is locked, or it did not answer in time. */
class KeychainUnavailableError extends Error {}

/** The helper program was removed or replaced since this process started. */
class ProgramReplacedError extends KeychainUnavailableError {
  override readonly message =
    'cannot be asked, because the program was replaced while mav serve ran; restart mav serve';
}

export const keychainSlot: KeySlot & { readonly kind: 'keychain' } = {
  kind: 'keychain',

  planLocation() {
    return null;
  },

  /** The keychain reads the key back: it fails if what it stored is not what it was given. */
  async create({ id, vaultId, rootKey, keychainTimeoutMs }) {
    const account = nameAccount(vaultId, id);
    try {
      await askKeychain('store', account, keychainTimeoutMs, rootKey);
    } catch (error) {
      if (!(error instanceof KeychainUnavailableError)) throw error;
      throw new RequestError('bad_request', `the OS keychain ${error.message}; choose another --key-store`);
    }
    const undo = async () => {
      await deleteEntry(account, keychainTimeoutMs);
    };
    return { blob: null, undo };
  },

  async open({ id }, vaultId, { keychainTimeoutMs }) {
    return readRootKey(nameAccount(vaultId, id), keychainTimeoutMs);
  },

  isRemovable() {
    return true;
  },

  async remove({ id }, { vaultId, keychainTimeoutMs }) {
    try {
      return await deleteEntry(nameAccount(vaultId, id), keychainTimeoutMs);
    } catch (error) {
      if (!(error instanceof KeychainUnavailableError)) throw error;
      const problem = `the OS keychain, which holds the root key, ${error.message}`;
      throw new KeyKeptError(problem, 'keychain_kept');
    }
  },
};

/**
 * One keychain holds the keys of several vaults, each under the ids of its vault and its slot: a new root key of a vault can
 * be stored beside the old one.
 */
function nameAccount(vaultId: Uint8Array, slotId: string): string {
  return `root-key:${Buffer.from(vaultId).toString('hex')}:${slotId}`;
}

/** A .ts file beside this one when run from source; when built, a .js file beside the thread's bundle. */
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
 * Runs one operation of the keychain; `store` needs a root key. Returns the bytes of a `read`, or null if the entry does
 * not exist. The caller zeroes them. Throws KeychainUnavailableError.
 */
async function askKeychain(
  operation: Operation,
  account: string,
  timeoutMs: number,
  rootKey?: RootKey,
): Promise<SecretBytes | null> {
  if (identifyProgram() !== PROGRAM_AT_START) throw new ProgramReplacedError();
  const child = startProgram([operation, account], timeoutMs);
  const output = new SecretOutput(child.stdout);
  child.stdin.on('error', () => {});
  // Standard input stays open. Its end would tell the process that this thread no longer waits.
  if (rootKey !== undefined) child.stdin.write(rootKey);
  try {
    const [exitCode, signal] = await once(child, 'close');
    if (signal !== null)
      throw new KeychainUnavailableError(`did not answer within ${Math.ceil(timeoutMs / 1000)} s`);
    if (!checkExitCode(exitCode)) return null;
    return operation === 'read' ? output.copy() : NOTHING;
  } catch (error) {
    throw error instanceof KeychainUnavailableError ? error : new KeychainUnavailableError('cannot be asked');
  } finally {
    output.wipe();
    child.stdin.destroy();
  }
}

/** Runs keychain-process.ts, and kills it after the timeout: nothing else ends a dialogue that nobody answers. */
function startProgram(words: readonly string[], timeoutMs: number) {
  return spawn(process.execPath, [PROGRAM, ...words], {
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
}

/** Collects what the process writes, until `wipe`. keychain-process.ts writes at most one byte more than a root key. */
class SecretOutput {
  readonly #bytes = allocateSecret(KEY_SIZE + 1);
  #length = 0;

  constructor(stdout: Readable) {
    stdout.on('data', (chunk: Buffer) => {
      const taken = chunk.subarray(0, this.#bytes.length - this.#length);
      this.#bytes.set(taken, this.#length);
      this.#length += taken.length;
      chunk.fill(0);
    });
  }

  /** Returns the bytes, which are a root key, in secret memory of their own. The caller zeroes them. */
  copy(): SecretBytes {
    const copy = allocateSecretMemory(this.#length);
    copy.set(this.#bytes.subarray(0, this.#length));
    return copy;
  }

  wipe(): void {
    this.#bytes.fill(0);
  }
}

/** Returns whether the entry exists. Throws KeychainUnavailableError. */
function checkExitCode(exitCode: number): boolean {
  if (exitCode === ANSWER.done) return true;
  if (exitCode === ANSWER.nothing) return false;
  throw new KeychainUnavailableError(
    exitCode === ANSWER.forgetful ? 'did not keep what was stored' : 'is locked or not there',
  );
}

/** Returns the root key, which the caller zeroes. Throws SealedError. */
async function readRootKey(account: string, timeoutMs: number): Promise<RootKey> {
  const bytes = await readKeychainEntry(account, timeoutMs);
  if (bytes === null) {
    throw new SealedError(
      'keychain_entry_missing',
      `the OS keychain has no entry ${account} of the service ${SERVICE}`,
    );
  }
  if (bytes.length !== KEY_SIZE) {
    bytes.fill(0);
    throw new SealedError('wrong_key', 'the entry in the OS keychain is not a root key');
  }
  return asRootKey(bytes);
}

/** Returns the first 33 bytes of an entry of this service, which the caller frees; null if there is none. Throws SealedError. */
export async function readKeychainEntry(account: string, timeoutMs: number): Promise<SecretBytes | null> {
  try {
    return await askKeychain('read', account, timeoutMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'failed';
    const isOver = error instanceof ProgramReplacedError;
    throw new SealedError(isOver ? 'unusable' : 'keychain_unavailable', `the OS keychain ${reason}`);
  }
}

/** Returns whether there was an entry. Throws KeychainUnavailableError. */
async function deleteEntry(account: string, timeoutMs: number): Promise<boolean> {
  return (await askKeychain('remove', account, timeoutMs)) !== null;
}

/** Writes, reads and deletes a test entry. Returns why the keychain cannot be used, or null if it can. */
export async function probeKeychain(timeoutMs: number): Promise<string | null> {
  try {
    await askKeychain('probe', `probe:${randomBytes(8).toString('hex')}`, timeoutMs);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'failed';
  }
}
