/**
 * A reader thread: runs batches of reading calls. Holds the keyring; the replies' bytes are
 * transferred away, and request bodies, which name what is wanted, are zeroed with their batch.
 */
import { workerData } from 'node:worker_threads';
import { wipeBodies } from './calls.ts';
import { ReplyBuffer } from './json/reply.ts';
import type { Batch, BatchResult, WorkerOptions } from './messages.ts';
import { readBatch } from './reading.ts';
import { loadSqlite } from './store/database.ts';
import { serveThread } from './thread.ts';
import { Vault } from './vault.ts';

loadSqlite();

const vault = new Vault(workerData as WorkerOptions, 'reading');

/** Bytes. Each reply buffer starts as large as the last one was, but one large reply must not make all others large. */
const MAX_EXPECTED_SIZE = 65_536;
let expectedSize = 0;

async function read(batch: Batch, isLong: boolean): Promise<BatchResult> {
  const reply = new ReplyBuffer(expectedSize);
  const replies = (await readBatch(vault, batch, isLong, reply)).map((each) => vault.noteDamage(each));
  wipeBodies(batch);
  expectedSize = Math.min(reply.length, MAX_EXPECTED_SIZE);
  return { bytes: reply.take(), replies };
}

export default serveThread(read, (port) => vault.connect(port));
