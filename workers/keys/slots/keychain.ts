/**
 * The `keychain` slot: the root key lies in the operating system's keychain. Holds the root key for the length of a
 * call; every copy that the binding makes in this thread's heap is zeroed before the call returns.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { asRootKey, KEY_SIZE, type RootKey } from '../../envelope/keys.ts';
import { allocateSecret, type SecretBytes } from '../../secret-bytes.ts';
import { SealedError } from '../sealed.ts';

const SERVICE = 'MaestroVault';

/** The keychain could not be used: there is none, it is locked, or it did not answer in time. */
export class KeychainUnavailableError extends Error {}

/** Several vaults live side by side in one keychain, each under its own id. */
function accountOf(vaultId: Uint8Array): string {
  return `root-key:${Buffer.from(vaultId).toString('hex')}`;
}

/**
 * An entry pinned to the Secret Service on Linux: without the pin the binding silently falls back to the kernel
 * keyring, which forgets everything at reboot, and with it the vault.
 */
async function createEntry(account: string) {
  const { AsyncEntry } = await import('@napi-rs/keyring');
  return new AsyncEntry(SERVICE, account, { linux: { store: 'secret-service' } });
}

type Entry = Awaited<ReturnType<typeof createEntry>>;

/** Runs one call of the keychain; a call that waits for somebody's answer must not make the vault wait for ever. */
async function callKeychain<T>(
  account: string,
  timeoutMs: number,
  call: (entry: Entry) => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const seconds = Math.ceil(timeoutMs / 1000);
    timer = setTimeout(
      () => reject(new KeychainUnavailableError(`did not answer within ${seconds} s`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([createEntry(account).then(call), timeout]);
  } catch (error) {
    if (error instanceof KeychainUnavailableError) throw error;
    throw new KeychainUnavailableError('is locked or not there');
  } finally {
    clearTimeout(timer);
  }
}

/** The binding answers with an array of numbers: copies it into memory of our own and zeroes the array. */
function takeBytes(numbers: number[]): SecretBytes {
  const bytes = allocateSecret(numbers.length);
  bytes.set(numbers);
  numbers.fill(0);
  return bytes;
}

async function readBytes(account: string, timeoutMs: number): Promise<SecretBytes | null> {
  const numbers = await callKeychain(account, timeoutMs, (entry) => entry.getSecret());
  return numbers === null ? null : takeBytes(numbers);
}

/** The root key (32 bytes, the caller zeroes it). Throws SealedError with the remedy if it cannot be had. */
export async function readRootKey(vaultId: Uint8Array, timeoutMs: number): Promise<RootKey> {
  let bytes: SecretBytes | null;
  try {
    bytes = await readBytes(accountOf(vaultId), timeoutMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'failed';
    throw new SealedError(`the OS keychain ${reason}; unlock or start it, then run: mav unseal`);
  }
  if (bytes === null) {
    throw new SealedError(
      `the OS keychain has no entry ${accountOf(vaultId)} of the service ${SERVICE}; ` +
        'restore that entry, then run: mav unseal',
    );
  }
  if (bytes.length !== KEY_SIZE) {
    bytes.fill(0);
    throw new SealedError('the entry in the OS keychain is not a root key; restore it, then run: mav unseal');
  }
  return asRootKey(bytes);
}

/** Stores the root key and reads it back; throws KeychainUnavailableError if it did not come back the same. */
export async function storeRootKey(vaultId: Uint8Array, rootKey: RootKey, timeoutMs: number): Promise<void> {
  const account = accountOf(vaultId);
  await callKeychain(account, timeoutMs, (entry) => entry.setSecret(rootKey));
  const stored = await readBytes(account, timeoutMs);
  const same = stored !== null && stored.length === KEY_SIZE && timingSafeEqual(stored, rootKey);
  stored?.fill(0);
  if (!same) throw new KeychainUnavailableError('did not keep what was stored');
}

export async function deleteRootKey(vaultId: Uint8Array, timeoutMs: number): Promise<void> {
  await callKeychain(accountOf(vaultId), timeoutMs, (entry) => entry.deleteCredential());
}

/** Writes, reads and deletes an entry of its own. Answers why the keychain cannot be used, or null if it can. */
export async function probeKeychain(timeoutMs: number): Promise<string | null> {
  const account = `probe:${randomBytes(8).toString('hex')}`;
  const probe = randomBytes(KEY_SIZE);
  try {
    await callKeychain(account, timeoutMs, (entry) => entry.setSecret(probe));
    const stored = await readBytes(account, timeoutMs);
    await callKeychain(account, timeoutMs, (entry) => entry.deleteCredential());
    return stored !== null && probe.equals(stored) ? null : 'did not keep what was stored';
  } catch (error) {
    return error instanceof Error ? error.message : 'failed';
  }
}
