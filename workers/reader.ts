/**
 * A reader thread: takes batches of reading calls and answers each. Holds the keyring; the replies' bytes are
 * transferred away.
 */
import { workerData } from 'node:worker_threads';
import { finish, type Moved } from './calls.ts';
import type { Batch, WorkerOptions } from './messages.ts';
import { readBatch } from './reading.ts';
import { ReplyBuffer } from './reply.ts';
import { Vault } from './vault.ts';

const vault = new Vault(workerData as WorkerOptions, 'reading');

export default async function read(batch: Batch): Promise<Moved> {
  const reply = new ReplyBuffer();
  const replies = await readBatch(vault, batch, reply);
  return finish(reply, replies);
}
