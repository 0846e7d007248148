/**
 * The Go program's master key: 32 bytes, in the entry of the OS keychain that the program made, or in a file that the user
 * made of it. Returns it in secret memory, which the caller frees.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { allocateSecretMemory, freeSecretMemory } from '../envelope/secret-memory.ts';
import { KEY_SIZE } from '../envelope/sizes.ts';
import { RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import { allocateSecret, type SecretBytes } from '../json/secret-bytes.ts';
import { readKeychainEntry, SERVICE } from '../keys/slots/keychain.ts';

const ACCOUNT = 'master-key';
const ACCESS_BY_OTHERS = 0o077;
/** Bytes. Longer than a key in any usual spelling. */
const MOST_READ = 128;
const WHITE_SPACE = Buffer.from(' \t\r\n');
const HEX = Buffer.from('0123456789abcdefABCDEF');
const HEX_SIZE = 2 * KEY_SIZE;
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=');
/** Without its padding, and with it. */
const BASE64_SIZES = [43, 44];

/** Reads the key from `keyFile`, null for the OS keychain. Throws RequestError. */
export async function readMasterKey(keyFile: string | null, keychainTimeoutMs: number): Promise<SecretBytes> {
  if (keyFile !== null) return readFromFile(keyFile);
  const entry = await readEntry(keychainTimeoutMs);
  const place = `the OS keychain's entry ${ACCOUNT} of the service ${SERVICE}`;
  if (entry === null)
    throw new RequestError(
      'bad_request',
      `${place}, where the Go program keeps its key, is not there; give --key-file PATH, a file with the key's ${KEY_SIZE} bytes`,
    );
  if (entry.length === KEY_SIZE) return entry;
  freeSecretMemory(entry);
  throw new RequestError('bad_request', `${place} is not a key of ${KEY_SIZE} bytes`);
}

async function readEntry(keychainTimeoutMs: number): Promise<SecretBytes | null> {
  try {
    return await readKeychainEntry(ACCOUNT, keychainTimeoutMs);
  } catch (error) {
    if (!(error instanceof SealedError)) throw error;
    throw new RequestError('sealed', `${error.message}; unlock or start it, or give --key-file PATH`);
  }
}

function readFromFile(path: string): SecretBytes {
  const descriptor = openFile(path);
  const bytes = allocateSecret(MOST_READ);
  try {
    checkFile(path, descriptor);
    const length = readSync(descriptor, bytes, 0, MOST_READ, 0);
    if (length !== KEY_SIZE) throw explainLength(path, bytes.subarray(0, length));
    const key = allocateSecretMemory(KEY_SIZE);
    key.set(bytes.subarray(0, KEY_SIZE));
    return key;
  } finally {
    bytes.fill(0);
    closeSync(descriptor);
  }
}

/** O_NONBLOCK: opening a FIFO must not block. */
function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    throw new RequestError('bad_request', `the key file ${path} cannot be opened (${code})`);
  }
}

function checkFile(path: string, descriptor: number): void {
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) throw new RequestError('bad_request', `the key file ${path} is not a file`);
  if (stat.uid === process.geteuid?.() && (stat.mode & ACCESS_BY_OTHERS) !== 0)
    throw new RequestError(
      'bad_request',
      `the key file ${path} is open to other users; run: chmod 600 ${path}`,
    );
}

/** Names the spelling of a key that was copied as text, and nothing of the key. The bytes never become a string. */
function explainLength(path: string, bytes: Uint8Array): RequestError {
  const needed = `the key file ${path} must hold the key's ${KEY_SIZE} bytes themselves`;
  const text = bytes.subarray(0, bytes.findLastIndex((byte) => !WHITE_SPACE.includes(byte)) + 1);
  if (text.length === HEX_SIZE && text.every((byte) => HEX.includes(byte)))
    return new RequestError(
      'bad_request',
      `${needed}, and has them in hexadecimal; run: xxd -r -p ${path} > NEW`,
    );
  if (BASE64_SIZES.includes(text.length) && text.every((byte) => BASE64.includes(byte)))
    return new RequestError('bad_request', `${needed}, and has them in base64; run: base64 -d ${path} > NEW`);
  const length = bytes.length === MOST_READ ? `${MOST_READ} bytes or more` : `${bytes.length} bytes`;
  return new RequestError('bad_request', `${needed}, and nothing else; it has ${length}`);
}
