/**
 * The OS keychain, asked from a process of its own: `keychain-process OPERATION ACCOUNT`, one operation and then the
 * end. A call of the keychain may wait for ever, for somebody to answer a dialogue, on a thread that nothing can
 * end; inside the daemon it would keep the daemon from ending too. A process can be killed, and the keychain then
 * takes its dialogue away. Holds the root key for the length of its operation: it comes on standard input (`store`)
 * or goes to standard output (`read`), each a pipe to the worker thread that started us.
 */
// Before all others: they load what takes its time.
import './close-memory.ts';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { AsyncEntry } from '@napi-rs/keyring';
import { KEY_SIZE } from '../../envelope/keys.ts';
import { allocateSecret } from '../../json/secret-bytes.ts';
import { ANSWER, type Answer, type Operation, SERVICE } from './keychain.ts';

const STDIN = 0;
const STDOUT = 1;

/**
 * An entry pinned to the Secret Service on Linux: without the pin the binding silently falls back to the kernel
 * keyring, which forgets everything at reboot, and with it the vault.
 */
function openEntry(account: string): AsyncEntry {
  return new AsyncEntry(SERVICE, account, { linux: { store: 'secret-service' } });
}

const operations: Record<Operation, (entry: AsyncEntry) => Promise<Answer>> = { read, store, remove, probe };

async function read(entry: AsyncEntry): Promise<Answer> {
  const secret = await entry.getSecret();
  if (secret === undefined || secret === null) return ANSWER.nothing;
  // Longer than a root key is wrong however long it is, and must not fill the pipe.
  writeSync(STDOUT, Uint8Array.from(secret).subarray(0, KEY_SIZE + 1));
  return ANSWER.done;
}

async function store(entry: AsyncEntry): Promise<Answer> {
  const rootKey = allocateSecret(KEY_SIZE);
  if (readSync(STDIN, rootKey) !== KEY_SIZE) throw new RangeError('half a root key');
  await entry.setSecret(rootKey);
  if (await holds(entry, rootKey)) return ANSWER.done;
  await entry.deleteCredential();
  return ANSWER.forgetful;
}

async function remove(entry: AsyncEntry): Promise<Answer> {
  return (await entry.deleteCredential()) ? ANSWER.done : ANSWER.nothing;
}

/** Writes, reads and deletes an entry that holds nothing of worth. */
async function probe(entry: AsyncEntry): Promise<Answer> {
  const bytes = randomBytes(KEY_SIZE);
  await entry.setSecret(bytes);
  try {
    return (await holds(entry, bytes)) ? ANSWER.done : ANSWER.forgetful;
  } finally {
    await entry.deleteCredential();
  }
}

async function holds(entry: AsyncEntry, expected: Uint8Array): Promise<boolean> {
  const stored = await entry.getSecret();
  return stored?.length === expected.length && timingSafeEqual(Uint8Array.from(stored), expected);
}

/** process.exit would wait for the very call that does not return. */
function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

const [operation, account = ''] = process.argv.slice(2);
try {
  const running = operations[operation as Operation](openEntry(account));
  // Whoever waits for the answer holds the other end: when it is gone, so is the need for one.
  process.stdin.on('close', endAtOnce).resume();
  process.exit(await running);
} catch {
  process.exit(ANSWER.unavailable);
}
