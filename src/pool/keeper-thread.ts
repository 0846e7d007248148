/** The keeper as a thread of its own in the closed daemon (first.cts). Its only dependency is piscina. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { createKeeper } from './keeper.ts';

const { port } = workerData as { readonly port: MessagePort };
port.on(
  'message',
  createKeeper((news) => port.postMessage(news), true),
);
