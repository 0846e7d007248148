/**
 * A program that carries out one operation on the OS keychain and ends: `keychain-process OPERATION ACCOUNT`. Standard input
 * brings the root key (`store`), standard output takes it away (`read`); both are pipes to the worker thread that started it.
 * Holds the root key until it ends.
 *
 * It is a process of its own because a call of the keychain may wait forever, until somebody answers a dialogue, and nothing
 * can end the thread that waits. In the daemon that would keep the daemon from ending. A process can be killed, and the
 * keychain then closes its dialogue.
 */
// First, because the other imports take time to load.
import './close-memory.ts';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { AsyncEntry } from '@napi-rs/keyring';
import { KEY_SIZE } from '../../envelope/sizes.ts';
import { allocateSecret } from '../../json/secret-bytes.ts';
import { ANSWER, type Answer, type Operation, SERVICE } from './keychain.ts';

const STDIN = 0;
const STDOUT = 1;

/**
 * Pins the entry to the Secret Service on Linux. Otherwise the library may silently use the kernel keyring, which forgets
 * the root key at the next reboot; the vault would be lost with it.
 */
function openEntry(account: string): AsyncEntry {
  return new AsyncEntry(SERVICE, account, { linux: { store: 'secret-service' } });
}

const operations: Record<Operation, (entry: AsyncEntry) => Promise<Answer>> = {
  read: readSecret,
  store: storeRootKey,
  remove: removeEntry,
  probe: probeEntry,
};

async function readSecret(entry: AsyncEntry): Promise<Answer> {
  const secret = await entry.getSecret();
  if (secret === undefined || secret === null) return ANSWER.nothing;
  // One byte more than a root key is enough to show that the entry is wrong. A longer one could fill the pipe.
  writeSync(STDOUT, Uint8Array.from(secret).subarray(0, KEY_SIZE + 1));
  return ANSWER.done;
}

async function storeRootKey(entry: AsyncEntry): Promise<Answer> {
  const rootKey = allocateSecret(KEY_SIZE);
  if (readSync(STDIN, rootKey) !== KEY_SIZE) throw new RangeError('half a root key');
  await entry.setSecret(rootKey);
  if (await isStored(entry, rootKey)) return ANSWER.done;
  await entry.deleteCredential();
  return ANSWER.forgetful;
}

async function removeEntry(entry: AsyncEntry): Promise<Answer> {
  return (await entry.deleteCredential()) ? ANSWER.done : ANSWER.nothing;
}

/** Writes, reads and deletes a test entry. */
async function probeEntry(entry: AsyncEntry): Promise<Answer> {
  const bytes = randomBytes(KEY_SIZE);
  await entry.setSecret(bytes);
  try {
    return (await isStored(entry, bytes)) ? ANSWER.done : ANSWER.forgetful;
  } finally {
    await entry.deleteCredential();
  }
}

async function isStored(entry: AsyncEntry, expected: Uint8Array): Promise<boolean> {
  const stored = await entry.getSecret();
  return stored?.length === expected.length && timingSafeEqual(Uint8Array.from(stored), expected);
}

/** Kills this process: process.exit would wait for the call of the keychain. */
function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

const [operation, account = ''] = process.argv.slice(2);
try {
  const running = operations[operation as Operation](openEntry(account));
  // The waiting thread holds the other end. When that closes, nobody needs the answer any more.
  process.stdin.on('close', endAtOnce).resume();
  process.exit(await running);
} catch {
  process.exit(ANSWER.unavailable);
}
