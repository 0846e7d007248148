/**
 * A reader thread: runs batches of reading calls. Holds the keyring; the replies' bytes are transferred away, and request
 * bodies, which name what is wanted, are zeroed with their batch.
 */
import { workerData } from 'node:worker_threads';
import type { WorkerOptions } from './messages.ts';
import { readBatch } from './reading.ts';
import { loadSqlite } from './store/database.ts';
import { serveThread } from './thread.ts';
import { Vault } from './vault.ts';

loadSqlite();

const vault = new Vault(workerData as WorkerOptions, 'reading');

export default serveThread(
  (batch, isLong) => readBatch(vault, batch, isLong),
  (port) => vault.connect(port),
);
