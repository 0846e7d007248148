/**
 * A reader thread: runs batches of reading calls. Holds the keyring. The bytes of the replies are transferred away; request
 * bodies are zeroed when their batch is done.
 */
import { workerData } from 'node:worker_threads';
import { SegmentBorrower } from './audit/writing/borrower.ts';
import { Recorder } from './audit/writing/recorder.ts';
import type { WorkerOptions } from './messages.ts';
import { readBatch } from './reading.ts';
import { RowCheck } from './row-check.ts';
import { loadSqlite } from './store/database.ts';
import { serveThread } from './thread.ts';
import { Vault } from './vault.ts';

loadSqlite();

const vault = new Vault(workerData as WorkerOptions, 'reading');

const segments = new SegmentBorrower();
const recorder = new Recorder(segments, vault);
const rowCheck = new RowCheck(vault);

export default serveThread({
  run: async (batch, isLong) => {
    if (RowCheck.isAsked(batch)) return rowCheck.run();
    // Only a long call may ask for it.
    const rowFindings = isLong ? await rowCheck.findFor(batch) : undefined;
    return readBatch(vault, batch, isLong, recorder, rowFindings);
  },
  connect: ({ keyring, audit }) => {
    vault.connect(keyring);
    segments.connect(audit);
  },
  rest: () => rowCheck.stop(),
});
