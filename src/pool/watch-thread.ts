/** The thread that watches where the keeper runs on the request thread. In the closed daemon the keeper's thread watches, too. */
import { workerData } from 'node:worker_threads';
import { watch } from './watch.ts';

watch(workerData as SharedArrayBuffer);
