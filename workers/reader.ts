/**
 * A reader thread: runs batches of reading calls. Holds the keyring. The bytes of the replies are transferred away; request
 * bodies are zeroed when their batch is done.
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
