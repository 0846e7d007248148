/** Starts the bare server (bare-server.js) with the bytes that a daemon answered. */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from './exchange.ts';
import { startNode } from './processes.ts';

/** Headers that Node adds to every answer by itself. */
const ADDED_BY_NODE: ReadonlySet<string> = new Set(['date', 'connection', 'keep-alive']);

export interface BareServer {
  readonly socketPath: string;
  readonly process: ChildProcess;
}

export async function startBareServer(folder: string, answer: Answer): Promise<BareServer> {
  const path = join(folder, randomUUID().slice(0, 8));
  const [socketPath, answerPath] = [`${path}.sock`, `${path}.json`];
  const headers = keepOwnHeaders(answer.rawHeaders);
  writeFileSync(answerPath, JSON.stringify({ headers, body: answer.body.toString('base64') }));
  const program = join(import.meta.dirname, 'bare-server.js');
  const child = startNode([program, socketPath, answerPath], process.env, ['ignore', 'pipe', 'inherit']);
  if (child.stdout !== null) await once(child.stdout, 'data');
  return { socketPath, process: child };
}

function keepOwnHeaders(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => {
    const name = rawHeaders[index - (index % 2)] ?? '';
    return !ADDED_BY_NODE.has(name.toLowerCase());
  });
}
